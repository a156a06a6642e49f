/** Words of how a step behaves when it takes long, or nobody knows what it did, in Swahili. */
export const behaviour = {
  'behaviour.unknown': 'Ikiwa hakuna anayejua kama ilitokea',
  'behaviour.unknownHint': 'Baada ya muda kuisha, muunganisho kukatika au mtendaji kupotea, kwa kile kinachopaswa kutokea mara moja tu.',
  'behaviour.unknownDefault': 'Kama aina na vigezo vyake vinavyosema',
  'behaviour.unknownLookUp': 'Muulize mpokeaji',
  'behaviour.unknownPark': 'Mtu anaamua',
  'behaviour.unknownFail': 'Inashindwa',
  'behaviour.unknownRetry': 'Jaribu tena; inaweza kutokea mara mbili',
  'behaviour.heartbeat': 'Ukimya mrefu zaidi wa jaribio (ms)',
  'behaviour.heartbeatHint': 'Ishara ya uhai ni mpigo au mstari katika kumbukumbu.',
  'behaviour.start': 'Kusubiri mtendaji kwa muda mrefu zaidi (ms)',
  'explain.askNow': 'Uliza sasa',
};
