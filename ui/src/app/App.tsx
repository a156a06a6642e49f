import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { Toaster } from 'sonner';
import { queries } from '../api/queries';
import { Broken } from './Broken';
import { router } from './router';

export function App() {
  return (
    <Broken>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
        <Toaster position="bottom-center" toastOptions={{ className: '!bg-raised !text-ink !border-line !text-[13px]' }} />
      </QueryClientProvider>
    </Broken>
  );
}
