import i18next from 'i18next';
import { Component, type ReactNode } from 'react';

/** What stands where a page failed: that edits are kept, and what was thrown. */
export function Torn({ error }: { error: unknown }) {
  return (
    <main className="mx-auto max-w-lg px-6 py-24">
      <h1>{i18next.t('app.broken')}</h1>
      <p className="mt-1 text-soft">{i18next.t('app.brokenAbout')}</p>
      <pre className="mt-4 overflow-x-auto rounded-lg bg-sunk p-3 font-mono text-xs">{error instanceof Error ? error.message : String(error)}</pre>
      <button type="button" className="mt-4 rounded-lg bg-accent px-3 py-1.5 text-accent-ink" onClick={() => location.reload()}>{i18next.t('app.reload')}</button>
    </main>
  );
}

/** Catches what a page throws while it draws, so that nobody looks at an empty window. */
export class Broken extends Component<{ children: ReactNode }, { error: Error | null }> {
  state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  render() {
    return this.state.error ? <Torn error={this.state.error} /> : this.props.children;
  }
}
