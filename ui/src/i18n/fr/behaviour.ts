/** Words of how a step behaves when it takes long, or nobody knows what it did, in French. */
export const behaviour = {
  'behaviour.unknown': 'Quand personne ne sait si c’est arrivé',
  'behaviour.unknownHint': 'Après un délai dépassé, une connexion rompue ou un ouvrier perdu, pour ce qui doit arriver au plus une fois.',
  'behaviour.unknownDefault': 'Comme le disent son type et ses paramètres',
  'behaviour.unknownLookUp': 'Demander au destinataire',
  'behaviour.unknownPark': 'Une personne décide',
  'behaviour.unknownFail': 'Elle échoue',
  'behaviour.unknownRetry': 'Réessayer ; cela peut arriver deux fois',
  'behaviour.heartbeat': 'Plus long silence d’un essai (ms)',
  'behaviour.heartbeatHint': 'Un signe de vie est un battement ou une ligne du journal.',
  'behaviour.start': 'Plus longue attente d’un ouvrier (ms)',
  'explain.askNow': 'Demander maintenant',
};
