/** Where things stand: tidy, align, distribute, groups, notes. */
import { AlignHorizontalDistributeCenter, AlignStartHorizontal, AlignStartVertical, AlignVerticalDistributeCenter, Group, StickyNote, Ungroup, WandSparkles } from 'lucide-react';
import { align, distribute } from '../../graph/align';
import { NOTE_ID } from '../../graph/shown';
import { addNote, group, ungroup } from '../frames';
import { begin, place } from '../store';
import { tidyUp } from '../tidying';
import { always, chosen, hasChosen, hasMany, type Action } from './action';

const put = (how: typeof align, axis: 'x' | 'y') => () => {
  const places = how(chosen() as never, axis);
  begin();
  place(places);
};

export const ARRANGE: readonly Action[] = [
  { name: 'tidy', label: 'edit.tidy', icon: WandSparkles, part: 'arrange', keys: ['Shift+Alt+T'], isEnabled: always, perform: async ({ fit, announce, say }) => { await tidyUp(); fit(); announce(say('voice.tidied')); } },
  { name: 'note', label: 'edit.note', icon: StickyNote, part: 'arrange', keys: ['Shift+S'], isEnabled: always, perform: ({ middle, go, announce, say }) => { go(NOTE_ID + addNote(middle())); announce(say('voice.note')); } },
  { name: 'group', label: 'edit.group', icon: Group, part: 'arrange', keys: ['Mod+G'], isEnabled: hasChosen, perform: ({ say, announce }) => { group(say('edit.groupName')); announce(say('voice.grouped', { count: chosen().length })); } },
  { name: 'ungroup', label: 'edit.ungroup', icon: Ungroup, part: 'arrange', keys: ['Mod+Shift+G'], isEnabled: () => ungroup(true), perform: () => void ungroup() },
  { name: 'alignLeft', label: 'edit.alignLeft', icon: AlignStartVertical, part: 'arrange', keys: ['Shift+Alt+ArrowLeft'], isEnabled: hasMany, perform: put(align, 'x') },
  { name: 'alignTop', label: 'edit.alignTop', icon: AlignStartHorizontal, part: 'arrange', keys: ['Shift+Alt+ArrowUp'], isEnabled: hasMany, perform: put(align, 'y') },
  { name: 'distributeX', label: 'edit.distributeX', icon: AlignHorizontalDistributeCenter, part: 'arrange', keys: ['Shift+Alt+H'], isEnabled: () => chosen().length > 2, perform: put(distribute, 'x') },
  { name: 'distributeY', label: 'edit.distributeY', icon: AlignVerticalDistributeCenter, part: 'arrange', keys: ['Shift+Alt+V'], isEnabled: () => chosen().length > 2, perform: put(distribute, 'y') },
];
