import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = process.env.LINKFLOW_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 900, outDir: '../src/linkflow/api/_ui' },
  server: { proxy: { '/api': { target: server, ws: true, changeOrigin: true }, '/webhooks': server, '/health': server } },
});
