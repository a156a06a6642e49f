/** The code field of expressions: completion of names, marks of what is wrong. Loaded when it is first needed. */
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap, completionStatus, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { Compartment, EditorState, StateEffect, StateField } from '@codemirror/state';
import { Decoration, EditorView, keymap, placeholder as placeholderOf, type DecorationSet, type KeyBinding } from '@codemirror/view';
import { useEffect, useRef, type RefObject } from 'react';
import { inserted, offer, type Option, type ScopeRoot } from '../graph/paths';
import { PATH_TYPE, useTarget } from './panel/source';

export interface Props {
  value: string;
  onChange: (text: string) => void;
  attributes: Record<string, string | undefined>;
  isBare: boolean;
  rows: number;
  placeholder?: string;
  names: { roots: ScopeRoot[]; options: Option[] };
  mark: { from: number; to: number } | null;
  /** Where somebody writes already, in the plain field that stood here; null for nobody. */
  caret: RefObject<number | null>;
}

const markWrong = StateEffect.define<{ from: number; to: number } | null>();
const wrong = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, change) {
    let found = marks.map(change.changes);
    for (const each of change.effects) {
      if (each.is(markWrong)) found = each.value && each.value.to <= change.newDoc.length ? Decoration.set([Decoration.mark({ class: 'cm-wrong' }).range(each.value.from, each.value.to)]) : Decoration.none;
    }
    return found;
  },
  provide: (field) => EditorView.decorations.from(field),
});
const LOOK = EditorView.theme({
  '&': { fontSize: '12px', backgroundColor: 'var(--surface)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '8px' },
  '&.cm-focused': { outline: '2px solid color-mix(in oklab, var(--accent) 40%, transparent)', borderColor: 'var(--accent)' },
  '.cm-content': { fontFamily: 'var(--font-mono, ui-monospace, monospace)', padding: '6px 4px', minHeight: 'calc(var(--rows) * 18px + 12px)', caretColor: 'var(--ink)' },
  '.cm-scroller': { overflow: 'auto', maxHeight: '22rem', lineHeight: '1.5' },
  '.cm-wrong': { textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '3px' },
  '.cm-placeholder': { color: 'var(--faint)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '8px', boxShadow: 'var(--shadow-high)', overflow: 'hidden', zIndex: 60 },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--faint)', fontStyle: 'normal', marginLeft: '10px' },
  '.cm-completionInfo': { padding: '6px 8px', maxWidth: '18rem' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--accent-soft) !important' },
});

/** Escape closes the list, and only where one is open; else it is for the panel. Mod+Enter runs the workflow. */
const KEYS: readonly KeyBinding[] = [
  { key: 'Tab', run: acceptCompletion },
  { key: 'Escape', run: (editor) => completionStatus(editor.state) === 'active' && closeCompletion(editor) },
  ...[...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap].filter((each) => each.key !== 'Escape' && each.key !== 'Mod-Enter'),
];

export default function ExpressionCode(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const now = useRef(props);
  now.current = props;
  const attributes = useRef(new Compartment());

  useEffect(() => {
    const complete = (context: CompletionContext): CompletionResult | null => {
      const { names, isBare } = now.current;
      const found = offer(context.state.doc.toString(), context.pos, isBare, names.roots, names.options);
      if (!found || (found.from === context.pos && !context.explicit && !/[.{(|\s]$/.test(context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos)))) return null;
      return {
        from: found.from, validFor: /^[\w$]*$/,
        options: found.options.map((each) => ({
          label: each.text, detail: each.about, info: each.more || undefined, type: each.kind, boost: { field: 3, node: 2, root: 1, function: 0 }[each.kind],
          apply: each.kind === 'function' ? (editor: EditorView, _: unknown, from: number, to: number) => editor.dispatch({ changes: { from, to, insert: `${each.text}()` }, selection: { anchor: from + each.text.length + 1 } }) : each.text,
        })),
      };
    };
    const put = (editor: EditorView, path: string, at: number) => {
      const text = inserted(editor.state.doc.toString(), at, path, now.current.isBare);
      editor.dispatch({ changes: { from: at, insert: text }, selection: { anchor: at + text.length }, scrollIntoView: true });
      editor.focus();
    };
    const made = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: now.current.value,
        extensions: [
          history(), closeBrackets(), wrong, LOOK, EditorView.lineWrapping, attributes.current.of(EditorView.contentAttributes.of({})),
          autocompletion({ override: [complete], icons: false, defaultKeymap: false }),
          keymap.of([...KEYS]),
          now.current.placeholder ? placeholderOf(now.current.placeholder) : [],
          EditorView.updateListener.of((update) => {
            if (update.docChanged && update.state.doc.toString() !== now.current.value) now.current.onChange(update.state.doc.toString());
          }),
          EditorView.domEventHandlers({
            focus: (_, editor) => useTarget.setState({ target: { put: (path) => put(editor, path, editor.state.selection.main.head) } }),
            drop: (event, editor) => {
              const path = event.dataTransfer?.getData(PATH_TYPE);
              if (!path) return false;
              event.preventDefault();
              put(editor, path, editor.posAtCoords({ x: event.clientX, y: event.clientY }) ?? editor.state.doc.length);
              return true;
            },
          }),
        ],
      }),
    });
    view.current = made;
    if (now.current.caret.current !== null) {
      made.dispatch({ selection: { anchor: Math.min(now.current.caret.current, made.state.doc.length) } });
      made.focus();
    }
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const made = view.current;
    if (!made || made.state.doc.toString() === props.value) return;
    made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: props.value } });
  }, [props.value]);
  const told = JSON.stringify(props.attributes);
  useEffect(() => {
    const found = Object.fromEntries(Object.entries(JSON.parse(told) as Record<string, string | undefined>).filter(([, each]) => each !== undefined)) as Record<string, string>;
    view.current?.dispatch({ effects: attributes.current.reconfigure(EditorView.contentAttributes.of({ ...found, spellcheck: 'false' })) });
  }, [told]);
  const { from, to } = props.mark ?? { from: -1, to: -1 };
  useEffect(() => {
    view.current?.dispatch({ effects: markWrong.of(from < 0 ? null : { from, to }) });
  }, [from, to]);
  return <div ref={host} className="expression" style={{ ['--rows' as string]: props.rows }} />;
}
