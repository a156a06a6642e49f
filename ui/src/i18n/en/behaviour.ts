/** Words of how a step behaves when it takes long, or nobody knows what it did, in English. */
export const behaviour = {
  'behaviour.unknown': 'When nobody knows whether it happened',
  'behaviour.unknownHint': 'After a timeout, a broken connection or a lost worker, for what must happen at most once.',
  'behaviour.unknownDefault': 'As its type and parameters say',
  'behaviour.unknownLookUp': 'Ask the receiver',
  'behaviour.unknownPark': 'A person decides',
  'behaviour.unknownFail': 'It fails',
  'behaviour.unknownRetry': 'Try again; it may happen twice',
  'behaviour.heartbeat': 'Longest silence of an attempt (ms)',
  'behaviour.heartbeatHint': 'A sign of life is a heartbeat or a line in the log.',
  'behaviour.start': 'Longest wait for a worker (ms)',
  'explain.askNow': 'Ask now',
};
