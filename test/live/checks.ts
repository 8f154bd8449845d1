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

function chat({ llmUrl, running }: Known, authorization?: string): ReturnType<Check['request']> {
  const body = { model: running, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] };
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
