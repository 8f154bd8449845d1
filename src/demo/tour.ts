import type { ChutesSimulator } from '../simulator/chutes-simulator.js';
import { eventData } from '../simulator/answers/event-data.js';

/** Where the tour is told. */
export interface Stage {
  write(text: string): void;
  style(format: 'bold' | 'dim' | 'green' | 'red' | 'cyan', text: string): string;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly contentType: string;
  readonly body: string;
}

const ALIAS = 'chutesai/AutoPilot';
const QUESTION = [{ role: 'user', content: 'Who are you, and why was it you?' }];

/** A red dot. */
const PICTURE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';

/** Shows what the router does with five requests, and checks each. */
export class Tour {
  private failures = 0;
  /** Each tour is somebody new, with no pin of the one before. */
  private readonly who = { 'x-session-id': crypto.randomUUID() };

  constructor(
    private readonly baseUrl: string,
    private readonly simulator: ChutesSimulator,
    private readonly stage: Stage,
  ) {}

  /** @returns whether everything went as it should. */
  async run(): Promise<boolean> {
    await this.stop('the alias: the model with the most free capacity answers, token by token', () =>
      this.alias(),
    );
    await this.stop('a picture: it goes to a model that sees', () => this.picture());
    await this.stop('a list whose first model is down: the second one answers', () => this.list());
    await this.stop('one model by its name: straight through, not a byte changed', () => this.direct());
    await this.stop('a rate limit: relayed as it came, and not tried elsewhere', () => this.rateLimited());
    return this.failures === 0;
  }

  private async alias(): Promise<void> {
    this.ask(`"model": "${ALIAS}", "stream": true`);
    const response = await this.post({ model: ALIAS, stream: true, messages: QUESTION });
    const model = response.headers.get('x-chutes-autopilot-selected') ?? '';
    this.say(`${this.stage.style('cyan', model)} says:`);
    const arrivals: number[] = [];
    let last = '';
    this.stage.write('  ');
    for await (const data of eventData(response)) {
      last = data;
      const token = tokenOf(data);
      if (token === '') continue;
      arrivals.push(performance.now());
      this.stage.write(token);
    }
    this.stage.write('\n');
    const tookMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
    this.check(
      `${arrivals.length} tokens came one by one, within ${(tookMs / 1_000).toFixed(1)} s`,
      response.status === 200 && last === '[DONE]' && tookMs > arrivals.length,
    );
    this.check(
      'the model that answered is named in the headers',
      this.simulator.generations.at(-1)?.model === model,
    );
  }

  private async picture(): Promise<void> {
    this.ask(`"model": "${ALIAS}", "messages": [{ "content": [{ "type": "image_url", … }] }]`);
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: PICTURE } },
    ];
    const request = { model: ALIAS, messages: [{ role: 'user', content }] };
    const decision = JSON.parse(
      (await this.answerTo(request, { 'x-chutes-autopilot-dry-run': 'true' })).body,
    ) as {
      excluded: { why: string }[];
    };
    const blind = decision.excluded.filter(({ why }) => why === 'lacks_image').length;
    const answer = await this.answerTo(request);
    const model = answer.headers.get('x-chutes-autopilot-selected') ?? '';
    this.say(
      `${this.stage.style('cyan', model)} answered; a dry run tells of ${blind} models that do not see`,
    );
    this.check('the answer is whole', answer.status === 200);
    this.check('the catalog says that the model sees', (await this.modalitiesOf(model)).includes('image'));
  }

  private async list(): Promise<void> {
    const [first = '', second = ''] = await this.someModels();
    this.simulator.behave(first, 'unavailable');
    const model = `${first},${second}`;
    this.ask(`"model": "${model}"`);
    const answer = await this.answerTo({ model, messages: QUESTION });
    this.simulator.behave(first, 'normal');
    this.say(`${first} was down, ${this.stage.style('cyan', second)} answered: ${firstSentence(answer)}`);
    this.check('the answer is whole', answer.status === 200);
    this.check('the second model was chosen', answer.headers.get('x-chutes-autopilot-selected') === second);
    this.check('two attempts were made', answer.headers.get('x-chutes-autopilot-attempts') === '2');
  }

  private async direct(): Promise<void> {
    const [model = ''] = await this.someModels();
    const body = `{ "temperature": 1.0, "model": "${model}", "messages": ${JSON.stringify(QUESTION)} }`;
    this.ask(`"model": "${model}"`);
    const answer = await this.answerTo(body);
    this.say(`${this.stage.style('cyan', model)} answered: ${firstSentence(answer)}`);
    this.check(
      'the request arrived as it was sent',
      this.simulator.generations.at(-1)?.body.toString() === body,
    );
  }

  private async rateLimited(): Promise<void> {
    const [, , limited = '', other = ''] = await this.someModels();
    this.simulator.behave(limited, 'rate-limited');
    const before = this.simulator.count();
    const model = `${limited},${other}`;
    this.ask(`"model": "${model}"`);
    const answer = await this.answerTo({ model, messages: QUESTION });
    this.simulator.behave(limited, 'normal');
    this.say(`${this.stage.style('cyan', String(answer.status))} ${answer.contentType}, as Chutes sends it`);
    this.check('the status is 429', answer.status === 429 && answer.contentType.startsWith('text/html'));
    this.check('nobody else was asked', this.simulator.count() === before + 1);
  }

  private async stop(title: string, act: () => Promise<void>): Promise<void> {
    this.stage.write(`\n${this.stage.style('bold', title)}\n`);
    try {
      await act();
    } catch (error) {
      this.check(`it failed: ${error instanceof Error ? error.message : String(error)}`, false);
    }
  }

  private ask(what: string): void {
    this.stage.write(this.stage.style('dim', `  > { ${what}, … }\n`));
  }

  private say(what: string): void {
    this.stage.write(`  ${what}\n`);
  }

  private check(what: string, holds: boolean): void {
    if (!holds) this.failures += 1;
    this.say(holds ? this.stage.style('green', `✓ ${what}`) : this.stage.style('red', `✗ ${what}`));
  }

  /** Models of the catalog that have running instances. */
  private async someModels(): Promise<string[]> {
    const response = await fetch(`${this.baseUrl}/models`);
    const { data } = (await response.json()) as { data: { id: string }[] };
    const rows = this.simulator.utilization as readonly { name: string; active_instance_count: number }[];
    const running = new Set(rows.filter((row) => row.active_instance_count > 0).map(({ name }) => name));
    return data.map(({ id }) => id).filter((id) => running.has(id));
  }

  private async modalitiesOf(model: string): Promise<readonly string[]> {
    const response = await fetch(`${this.baseUrl}/models/${model}`);
    return ((await response.json()) as { input_modalities?: string[] }).input_modalities ?? [];
  }

  private async answerTo(
    body: object | string,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await this.post(body, extra);
    const { status, headers } = response;
    return { status, headers, contentType: headers.get('content-type') ?? '', body: await response.text() };
  }

  private post(body: object | string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer demo', 'content-type': 'application/json', ...this.who, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
  }
}

function tokenOf(data: string): string {
  if (data === '[DONE]') return '';
  const chunk = JSON.parse(data) as { choices?: { delta?: { content?: string } }[] };
  return chunk.choices?.[0]?.delta?.content ?? '';
}

function firstSentence({ body }: Answer): string {
  const answer = JSON.parse(body) as { choices?: { message?: { content?: string } }[] };
  const text = answer.choices?.[0]?.message?.content?.trim() ?? '';
  return `“${/^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text}”`;
}
