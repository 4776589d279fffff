import { expect, test } from '@jest/globals';
import { sampleAlert, sampleInfo } from '../../tests/support/sample-alert.ts';
import { sampleMessage } from '../../tests/support/sample-envelope.ts';
import { type DeviceMemory, recall, remember } from './memory.ts';
import { notificationText } from './notification-text.ts';

const entry = (id: string, expiresMs: number) => ({
  id,
  state: 'shown' as const,
  tag: id,
  expiresMs,
});

test('P4: a real alert is remembered through any number of short canary rounds', () => {
  let memory: DeviceMemory = remember([], [entry('real', 86_400_000)]);
  for (let i = 0; i < 2_000; i++) memory = remember(memory, [entry(`round-${i}`, i * 1_000)]);
  expect(recall(memory, 'real')).toBeDefined();
  expect(recall(memory, 'round-1999')).toBeDefined();
  expect(memory).toHaveLength(500);
});

test('an entry that changes is there once', () => {
  const memory = remember(remember([], [entry('a', 1)]), [
    { ...entry('a', 1), state: 'taken-down' },
  ]);
  expect(memory).toEqual([{ ...entry('a', 1), state: 'taken-down' }]);
});

test.each([
  ['Actual', 'Alert', 'fr-FR', 'ALERTE — Préfecture des Alpes-Maritimes'],
  ['Actual', 'Update', 'fr-FR', 'MISE À JOUR — Préfecture des Alpes-Maritimes'],
  ['Actual', 'Cancel', 'en-GB', 'ALERT CANCELLED — Préfecture des Alpes-Maritimes'],
  ['Exercise', 'Alert', 'fr-FR', 'EXERCICE · ALERTE — Préfecture des Alpes-Maritimes'],
  ['Test', 'Alert', 'en-GB', 'TEST · ALERT — Préfecture des Alpes-Maritimes'],
] as const)(
  '%s %s in %s says what it is, and who says it',
  async (status, msgType, language, title) => {
    const alert = sampleAlert({ status, msgType, info: [sampleInfo({ language })] });
    const text = notificationText(await sampleMessage(alert));
    expect(text.title).toBe(title);
    expect(text.body.startsWith('Attentat à Nice\n')).toBe(true);
  },
);
