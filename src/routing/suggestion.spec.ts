import { expect, test } from '@jest/globals';
import { suggestionFor } from './suggestion.js';

const IDS = [
  'chutesai/AutoPilot',
  'chutesai-routing/AutoPilot',
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
  ['an alias in another case', 'chutesai/autopilot', 'chutesai/AutoPilot'],
  ['an alias without its last character', 'chutesai/AutoPilo', 'chutesai/AutoPilot'],
  ['the second alias in capitals', 'CHUTESAI-ROUTING/AUTOPILOT', 'chutesai-routing/AutoPilot'],
  ['of two aliases without an owner the first', 'AutoPilot', 'chutesai/AutoPilot'],
  ['an alias without owner, misspelt', 'auto-pilot', 'chutesai/AutoPilot'],
  ['an alias of another owner', 'openrouter/AutoPilot', 'chutesai/AutoPilot'],
  ['a model of another owner', 'mistralai/Qwen3-32B', 'Qwen/Qwen3-32B'],
  ['an owner too many', 'chutes/Qwen/Qwen3-32B', 'Qwen/Qwen3-32B'],
  ['a suffix behind it', 'Qwen/qwen3-32b:latency', 'Qwen/Qwen3-32B'],
  ['an alias with a suffix', 'autopilot:throughput', 'chutesai/AutoPilot'],
])('SEL-17: the id that is meant is suggested: %s', (_, name, id) => {
  expect(suggestionFor(name, IDS)).toBe(id);
});

test.each([
  ['another vendor’s model', 'anthropic/claude-sonnet-4'],
  ['another model', 'gpt-4o'],
  ['one character', 'x'],
  ['white space', '   '],
  ['nothing behind the owner', 'x/'],
  ['a colon', ':'],
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

test('SEL-17: a name that is too long to be asked for is not suggested', () => {
  const long = `${'owner'.repeat(60)}/GLM-5-TEE`;
  expect(suggestionFor('GLM-5-TEE', [long])).toBeUndefined();
  expect(suggestionFor('GLM-5-TEE', [long, 'zai-org/GLM-5-TEE'])).toBe('zai-org/GLM-5-TEE');
});
