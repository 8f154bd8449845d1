export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly contentType: string;
  readonly body: string;
}

/** Asks the router, as a client does: somebody new, with no pin of anybody before. */
export class Client {
  private readonly session = crypto.randomUUID();

  constructor(private readonly baseUrl: string) {}

  /** The ids of the models that there are. */
  async models(): Promise<string[]> {
    const response = await fetch(`${this.baseUrl}/models`);
    const { data } = (await response.json()) as { data: { id: string }[] };
    return data.map(({ id }) => id);
  }

  async modalitiesOf(model: string): Promise<readonly string[]> {
    const response = await fetch(`${this.baseUrl}/models/${model}`);
    return ((await response.json()) as { input_modalities?: string[] }).input_modalities ?? [];
  }

  async answerTo(body: object | string, extra: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await this.post(body, extra);
    const { status, headers } = response;
    return { status, headers, contentType: headers.get('content-type') ?? '', body: await response.text() };
  }

  post(body: object | string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer demo',
        'content-type': 'application/json',
        'x-session-id': this.session,
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
  }
}

export function isDone({ body }: Answer): boolean {
  return body.trimEnd().endsWith('data: [DONE]');
}

export function tokenOf(data: string): string {
  if (data === '[DONE]') return '';
  const chunk = JSON.parse(data) as { choices?: { delta?: { content?: string } }[] };
  return chunk.choices?.[0]?.delta?.content ?? '';
}

export function firstSentence({ body }: Answer): string {
  const answer = JSON.parse(body) as { choices?: { message?: { content?: string } }[] };
  const text = answer.choices?.[0]?.message?.content?.trim() ?? '';
  return `“${/^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text}”`;
}
