/** What is said to people who cannot see it happen. */
import { create } from 'zustand';

export const useVoice = create<{ text: string; turn: number }>()(() => ({ text: '', turn: 0 }));
export const announce = (text: string): void => useVoice.setState(({ turn }) => ({ text, turn: turn + 1 }));
