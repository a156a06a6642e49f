import { Link } from '@tanstack/react-router';
import { useWords } from '../i18n';

export function NotFound() {
  const { say } = useWords();
  return (
    <main className="mx-auto max-w-md px-6 py-28 text-center">
      <h1>{say('app.notFound')}</h1>
      <p className="mt-1 text-soft">{say('app.notFoundAbout')}</p>
      <Link to="/workflows" className="mt-4 inline-block font-medium text-accent-text underline">{say('nav.workflows')}</Link>
    </main>
  );
}
