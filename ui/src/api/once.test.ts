import { expect, it } from 'vitest';
import { isAct, once } from './once';

const never = () => false;
const always = () => true;

it('does what is clicked twice once', async () => {
  const keys: string[] = [];
  let end: (answer: number) => void = () => undefined;
  const act = (key: string) => { keys.push(key); return new Promise<number>((resolve) => { end = resolve; }); };
  const both = [once('run', act, never), once('run', act, never)];
  end(7);
  expect(await Promise.all(both)).toEqual([7, 7]);
  expect(keys).toHaveLength(1);
});

it('asks again with the same key while nobody knows how it ended, and with a new one after an answer', async () => {
  const keys: string[] = [];
  const lost = (key: string) => { keys.push(key); return Promise.reject(new Error('lost')); };
  const answered = (key: string) => { keys.push(key); return Promise.resolve(1); };
  await expect(once('retry', lost, always)).rejects.toThrow('lost');
  await once('retry', answered, always);
  await once('retry', answered, always);
  await expect(once('retry', lost, never)).rejects.toThrow('lost');
  await once('retry', answered, always);
  const [first, second, ...others] = keys;
  expect(second).toBe(first);
  expect(new Set([first, ...others]).size).toBe(4);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
});

it('knows what does something from what only asks, and keeps secrets out', () => {
  const told = ['POST /executions/bulk/retry', 'POST /workflows/{workflow_id}/test-run', 'GET /workflows', 'POST /workflows/validate', 'POST /auth/login', 'POST /webhooks/{webhook_id}/regenerate-secret', 'POST /webhook-subscriptions', 'POST /webhook-subscriptions/{subscription_id}/test'].filter((each) => isAct(each));
  expect(told).toEqual(['POST /executions/bulk/retry', 'POST /workflows/{workflow_id}/test-run', 'POST /webhook-subscriptions/{subscription_id}/test']);
  expect(isAct('POST /workflows/import', true)).toBe(false);
});
