import type { Feeds } from '../feeds/feeds.js';
import type { RecordedRequest } from '../recorded-request.js';
import { modelNotFound, noInstances, type Reply, REPLIES, teeRequired } from './chutes-replies.js';
import { engineErrorOf, engineReply } from './engine-errors.js';
import type { Prompt } from './prompt.js';
import type { AnswerPlan } from './simulated-answer.js';

/** What Chutes turns away before it looks for a model. */
export function refusalOfCaller(
  { headers }: RecordedRequest,
  prompt: Prompt | 'bad-json' | 'bad-content',
  requireAuth: boolean,
): Reply | undefined {
  const { authorization, 'x-api-key': key = authorization?.replace(/^bearer +/i, '') } = headers;
  if (key === undefined && requireAuth) return REPLIES.unauthenticated;
  if (key === 'cpk_invalid') return REPLIES.unauthorized;
  if (prompt === 'bad-json') return REPLIES.badJson;
  return prompt === 'bad-content' ? REPLIES.badContent : undefined;
}

/** Why a model does not answer: Chutes' reasons first, then those of its engine. */
export function refusalOfModel(
  { headers }: RecordedRequest,
  prompt: Prompt,
  kind: AnswerPlan['kind'],
  feeds: Pick<Feeds, 'find' | 'isIdle'>,
): Reply | undefined {
  const entry = feeds.find(prompt.model);
  if (entry === undefined) return modelNotFound(prompt.model);
  if (headers['x-tee-only'] === 'true' && entry.confidential_compute !== true) return teeRequired();
  if (feeds.isIdle(entry.id)) return noInstances(entry.chute_id);
  const error = engineErrorOf(prompt, entry);
  // Only the LLM host hands on the streams of engines as they are.
  return error && engineReply(error, prompt.stream && (kind === 'chat' || kind === 'text'));
}
