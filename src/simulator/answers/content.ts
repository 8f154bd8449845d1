import type { CallableFunction, Prompt } from './prompt.js';
import { valueFor } from './schema-value.js';

/** What an answer says, in the pieces in which it is streamed. */
export interface Content {
  readonly tokens: readonly string[];
  /** Where given, the tokens are the arguments of a call of this function. */
  readonly calls?: string;
}

/**
 * A call of a function, JSON, or prose, whichever the prompt asks for.
 *
 * @param prose the words of an answer that may be any
 */
export function contentFor(prompt: Prompt, prose: () => readonly string[]): Content {
  const called = functionToCall(prompt);
  if (called !== undefined) {
    return { tokens: piecesOf(valueFor(called.parameters)), calls: called.name };
  }
  return { tokens: prompt.answerSchema === undefined ? prose() : piecesOf(valueFor(prompt.answerSchema)) };
}

/** None once a tool has said what it has to say, so that a conversation comes to its end. */
function functionToCall(prompt: Prompt): CallableFunction | undefined {
  const { functions, toolChoice, endsWithToolResult } = prompt;
  if (endsWithToolResult) return undefined;
  return functions.find(({ name }) => name === toolChoice) ?? functions[0];
}

function piecesOf(value: unknown): string[] {
  return JSON.stringify(value).match(/[^]{1,8}/gu) ?? [];
}
