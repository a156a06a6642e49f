/** Tidies away from the thread that draws. */
import { tidy, type Box } from './layout';

self.onmessage = ({ data }: MessageEvent<{ nodes: Box[]; edges: { source: string; target: string }[] }>) => self.postMessage(tidy(data.nodes, data.edges));
