import type { IncomingHttpHeaders } from 'node:http';

/** What agents send by themselves: Claude Code, OpenCode, Codex. */
const SENT_BY_AGENTS = ['x-claude-code-session-id', 'x-session-affinity', 'session-id', 'session_id'];

/**
 * The session that a request names: in the header of the configuration, in one that agents send by themselves, or in its body.
 *
 * @param header in lower case
 * @param inBody asked for only where no header names one; empty where the body does not either
 */
export function sessionOf(
  headers: IncomingHttpHeaders,
  header: string,
  inBody: () => string | undefined,
): string | undefined {
  const named = valueOf(headers, header);
  if (named) return named;
  for (const name of SENT_BY_AGENTS) {
    const value = valueOf(headers, name);
    if (value) return value;
  }
  return inBody() || undefined;
}

function valueOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
