const PROSE =
  'Write a function that takes a list of intervals and merges those that overlap. ' +
  'Explain your choice of data structure, say what it costs, and "quote" one line of it.\n';

/** A chat request of about so many bytes: a conversation in prose, with the odd escape. */
export function chatBody(bytes: number, isModelLast: boolean): Buffer {
  const messages: { role: string; content: string }[] = [];
  for (let size = 0; size < bytes - 200; size += 2_000) {
    const content = PROSE.repeat(12).slice(0, Math.min(1_900, bytes - 200 - size));
    messages.push({ role: size % 4_000 === 0 ? 'user' : 'assistant', content });
  }
  const model = 'chutesai/AutoPilot';
  const rest = { messages, temperature: 0.7, max_tokens: 512 };
  return Buffer.from(JSON.stringify(isModelLast ? { ...rest, model } : { model, ...rest }));
}
