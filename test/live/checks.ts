/** What one call brought. The body is text, shortened for captures only. */
export interface Seen {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Check {
  readonly name: string;
  readonly expected: string;
  readonly request: (known: Known) => { readonly url: string; readonly init?: RequestInit };
  /** Whether what was seen is as expected; may note what later calls need. */
  readonly holds: (seen: Seen, known: Known) => boolean;
}

/** What earlier calls have taught. */
export interface Known {
  readonly llmUrl: string;
  readonly responsesUrl: string;
  readonly messagesUrl: string;
  readonly apiUrl: string;
  readonly key: string;
  readonly nonce: string;
  models: readonly Model[];
  /** A model that is running, for the one completion. */
  running: string;
}

interface Model {
  readonly id: string;
  readonly chute_id?: string;
  readonly confidential_compute?: boolean;
}

interface Row {
  readonly name: string;
  readonly active_instance_count: number;
  readonly utilization_current: number | null;
}

const HELLO = [{ role: 'user', content: 'Hi' }];

export const CHECKS: readonly Check[] = [
  {
    name: 'model list',
    expected: '200 {"object":"list","data":[{"id":…}, …]}',
    request: ({ llmUrl }) => ({ url: `${llmUrl}/v1/models` }),
    holds: (seen, known) => {
      const { data } = parsed(seen) as { data?: Model[] };
      known.models = Array.isArray(data) ? data.filter(({ id }) => typeof id === 'string') : [];
      return seen.status === 200 && known.models.length > 0;
    },
  },
  {
    name: 'utilization',
    expected: '200 [{"name":…,"active_instance_count":…}, …]',
    request: ({ apiUrl }) => ({ url: `${apiUrl}/chutes/utilization` }),
    holds: (seen, known) => {
      const rows = parsed(seen) as Row[];
      if (seen.status !== 200 || !Array.isArray(rows)) return false;
      const listed = new Set(known.models.map(({ id }) => id));
      const running = rows.filter((row) => listed.has(row.name) && row.active_instance_count > 0);
      const idlest = running.toSorted((a, b) => (a.utilization_current ?? 1) - (b.utilization_current ?? 1));
      known.running = idlest[0]?.name ?? '';
      return known.running !== '';
    },
  },
  {
    name: 'chat with a bad token',
    expected: '401 {"detail":…}',
    request: (known) => chat(known, 'Bearer cpk_invalid'),
    holds: (seen) => seen.status === 401 && 'detail' in (parsed(seen) as object),
  },
  {
    name: 'chat without a token',
    expected: '429 text/html',
    request: (known) => chat(known),
    holds: (seen) => seen.status === 429 && seen.contentType.startsWith('text/html'),
  },
  {
    name: 'one tiny completion',
    expected: '200 {"choices":[…]}',
    request: (known) => chat(known, `Bearer ${known.key}`),
    holds: (seen) => seen.status === 200 && Array.isArray((parsed(seen) as { choices?: unknown }).choices),
  },
  {
    name: 'one tiny response',
    expected: '200 data: {"type":"response.created",…}',
    request: (known) =>
      post(`${known.responsesUrl}/v1/responses`, known, { input: 'Hi', max_output_tokens: 16, stream: true }),
    holds: (seen) => seen.status === 200 && /"type" ?: ?"response\.created"/.test(seen.body),
  },
  {
    name: 'one tiny message',
    expected: '200 {"type":"message",…}',
    request: (known) => post(`${known.messagesUrl}/v1/messages`, known, { max_tokens: 1, messages: HELLO }),
    holds: (seen) => seen.status === 200 && (parsed(seen) as { type?: unknown }).type === 'message',
  },
  {
    name: 'a count of tokens',
    expected: '200 {"input_tokens":…}',
    request: (known) => post(`${known.messagesUrl}/v1/messages/count_tokens`, known, { messages: HELLO }),
    holds: (seen) => seen.status === 200 && 'input_tokens' in (parsed(seen) as object),
  },
  {
    name: 'evidence of a confidential chute',
    expected: '200 {"evidence":[…]} or 400 {"detail":…}',
    request: ({ apiUrl, models, key, nonce }) => {
      const chute = models.find((model) => model.confidential_compute === true)?.chute_id ?? 'none';
      const url = `${apiUrl}/chutes/${encodeURIComponent(chute)}/evidence?nonce=${nonce}`;
      return { url, init: { headers: { authorization: `Bearer ${key}` } } };
    },
    holds: (seen) => {
      const body = parsed(seen) as object;
      return (seen.status === 200 && 'evidence' in body) || (seen.status === 400 && 'detail' in body);
    },
  },
];

function post(url: string, { running, key }: Known, fields: object): ReturnType<Check['request']> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  return { url, init: { method: 'POST', headers, body: JSON.stringify({ model: running, ...fields }) } };
}

function chat({ llmUrl, running }: Known, authorization?: string): ReturnType<Check['request']> {
  const body = { model: running, max_tokens: 1, messages: HELLO };
  const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) };
  return {
    url: `${llmUrl}/v1/chat/completions`,
    init: { method: 'POST', headers, body: JSON.stringify(body) },
  };
}

/** An empty object where the body is not JSON. */
function parsed({ body }: Seen): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return {};
  }
}
