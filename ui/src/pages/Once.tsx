import { Copy } from 'lucide-react';
import { toast } from 'sonner';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';

/** A secret or link that the server shows this once, ready to be copied. */
export function Once({ title, about, value, onClose }: { title: string; about?: string; value: string | null; onClose: () => void }) {
  const { say } = useWords();
  return (
    <Dialog title={title} about={about ?? say('once.shown')} isOpen={value !== null} onClose={onClose} closeLabel={say('app.close')}>
      <div className="flex items-center gap-2">
        <code data-testid="once" className="min-w-0 flex-1 rounded-lg bg-sunk px-3 py-2 font-mono text-xs break-all">{value}</code>
        <Button icon={<Copy size={14} aria-hidden />} onClick={() => void navigator.clipboard.writeText(value ?? '').then(() => toast(say('app.copied')))}>{say('app.copy')}</Button>
      </div>
    </Dialog>
  );
}
