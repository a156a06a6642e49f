import { expect, it } from 'vitest';
import { scaleOf } from './timeline';

const busy = (from: number, to: number) => ({ from, to, isWaiting: false });

it('shortens the time in which nothing but waiting happens', () => {
  const scale = scaleOf([busy(0, 100), { from: 100, to: 9_900, isWaiting: true }, busy(9_900, 10_000)], 0, 10_000);
  expect(scale.idle).toHaveLength(1);
  expect(scale.idle[0]!.ms).toBe(9_800);
  expect(scale.at(100)).toBeCloseTo(0.48);
  expect(scale.at(9_900)).toBeCloseTo(0.52);
  expect([scale.at(0), scale.at(10_000)]).toEqual([0, 1]);
});

it('leaves a timeline without idle time as it is', () => {
  const scale = scaleOf([busy(0, 500), busy(500, 1_000)], 0, 1_000);
  expect([scale.idle, scale.at(250)]).toEqual([[], 0.25]);
});

it('goes only forward', () => {
  const scale = scaleOf([busy(0, 10), busy(500, 520), busy(5_000, 5_100)], 0, 9_000);
  const shares = Array.from({ length: 91 }, (_, index) => scale.at(index * 100));
  expect(shares).toEqual([...shares].sort((one, two) => one - two));
  expect(shares.at(-1)).toBeCloseTo(1);
});
