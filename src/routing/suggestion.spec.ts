import { expect, test } from '@jest/globals';
import { suggestionFor } from './suggestion.js';

const IDS = [
  'Qwen/Qwen3-32B',
  'Qwen/Qwen3-14B',
  'zai-org/GLM-5-TEE',
  'moonshotai/Kimi-K2.5-TEE',
  'openai/gpt-oss-20b',
];

test.each([
  ['another case', 'zai-org/glm-5-tee', 'zai-org/GLM-5-TEE'],
  ['a wrong character', 'openai/gpt-oss-2Ob', 'openai/gpt-oss-20b'],
  ['a missing character', 'Qwen/Qwen3-32', 'Qwen/Qwen3-32B'],
  ['a character too many', 'Qwen/Qwen33-32B', 'Qwen/Qwen3-32B'],
  ['two characters swapped', 'moonshotia/Kimi-K2.5-TEE', 'moonshotai/Kimi-K2.5-TEE'],
  ['no owner', 'Kimi-K2.5-TEE', 'moonshotai/Kimi-K2.5-TEE'],
  ['no owner and another case', 'glm-5-tee', 'zai-org/GLM-5-TEE'],
  ['the nearer of two', 'Qwen/Qwen3-14', 'Qwen/Qwen3-14B'],
])('SEL-17: the id that is meant is suggested: %s', (_, name, id) => {
  expect(suggestionFor(name, IDS)).toBe(id);
});

test.each([
  ['another vendor’s model', 'anthropic/claude-sonnet-4'],
  ['another model', 'gpt-4o'],
  ['one character', 'x'],
  ['white space', '   '],
  ['much longer', 'zai-org/GLM-5-TEE'.repeat(15)],
])('SEL-17: nothing is suggested where nothing is close: %s', (_, name) => {
  expect(suggestionFor(name, IDS)).toBeUndefined();
});

test.each([
  ['ab', ['xy', 'owner/yz']],
  ['abc', ['abxy', 'owner/axy']],
])('SEL-17: half of a short name is not close: %s', (name, ids) => {
  expect(suggestionFor(name, ids)).toBeUndefined();
});

test('SEL-17: an empty catalog suggests nothing', () => {
  expect(suggestionFor('Qwen/Qwen3-32B', [])).toBeUndefined();
});
