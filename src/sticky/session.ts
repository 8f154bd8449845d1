import type { IncomingHttpHeaders } from 'node:http';

/** What agents send by themselves: Claude Code, OpenCode, Codex. */
const SENT_BY_AGENTS = ['x-claude-code-session-id', 'x-session-affinity', 'session-id', 'session_id'];

/**
 * The session that a request's headers name: the one of the configuration, or one that agents send by themselves. Any of them
 * goes before what the body names.
 *
 * @param header in lower case
 */
export function sessionInHeaders(headers: IncomingHttpHeaders, header: string): string | undefined {
  const named = valueOf(headers, header);
  if (named) return named;
  for (const name of SENT_BY_AGENTS) {
    const value = valueOf(headers, name);
    if (value) return value;
  }
  return undefined;
}

function valueOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
