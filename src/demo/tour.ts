import type { ChutesSimulator } from '../simulator/chutes-simulator.js';
import { eventData } from '../simulator/answers/event-data.js';
import { Client, firstSentence, isDone, tokenOf } from './client.js';

/** Where the tour is told. */
export interface Stage {
  write(text: string): void;
  style(format: 'bold' | 'dim' | 'green' | 'red' | 'cyan', text: string): string;
}

const ALIAS = 'chutesai/AutoPilot';
const QUESTION = [{ role: 'user', content: 'Who are you, and why was it you?' }];

/** A red dot. */
const PICTURE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';

/** Shows what the router does with seven requests, and checks each. */
export class Tour {
  private failures = 0;
  private readonly client: Client;

  constructor(
    baseUrl: string,
    private readonly simulator: ChutesSimulator,
    private readonly stage: Stage,
  ) {
    this.client = new Client(baseUrl);
  }

  /** @returns whether everything went as it should. */
  async run(): Promise<boolean> {
    await this.stop('the alias: the model with the most free capacity answers, token by token', () =>
      this.alias(),
    );
    await this.stop('a picture: it goes to a model that sees', () => this.picture());
    await this.stop('a list whose first model is down: the second one answers', () => this.list());
    await this.stop('a stream that begins with an error: the next model answers, and nobody sees it', () =>
      this.falseStart(),
    );
    await this.stop('a stream that ends politely in the middle: its client is told', () => this.halfAnswer());
    await this.stop('one model by its name: straight through, not a byte changed', () => this.direct());
    await this.stop('a rate limit: relayed as it came, and not tried elsewhere', () => this.rateLimited());
    return this.failures === 0;
  }

  private async alias(): Promise<void> {
    this.ask(`"model": "${ALIAS}", "stream": true`);
    const response = await this.client.post({ model: ALIAS, stream: true, messages: QUESTION });
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
      (await this.client.answerTo(request, { 'x-chutes-autopilot-dry-run': 'true' })).body,
    ) as {
      excluded: { why: string }[];
    };
    const blind = decision.excluded.filter(({ why }) => why === 'lacks_image').length;
    const answer = await this.client.answerTo(request);
    const model = answer.headers.get('x-chutes-autopilot-selected') ?? '';
    this.say(
      `${this.stage.style('cyan', model)} answered; a dry run tells of ${blind} models that do not see`,
    );
    this.check('the answer is whole', answer.status === 200);
    this.check(
      'the catalog says that the model sees',
      (await this.client.modalitiesOf(model)).includes('image'),
    );
  }

  private async list(): Promise<void> {
    const [first = '', second = ''] = await this.someModels();
    this.simulator.behave(first, 'unavailable');
    const model = `${first},${second}`;
    this.ask(`"model": "${model}"`);
    const answer = await this.client.answerTo({ model, messages: QUESTION });
    this.simulator.behave(first, 'normal');
    this.say(`${first} was down, ${this.stage.style('cyan', second)} answered: ${firstSentence(answer)}`);
    this.check('the answer is whole', answer.status === 200);
    this.check('the second model was chosen', answer.headers.get('x-chutes-autopilot-selected') === second);
    this.check('two attempts were made', answer.headers.get('x-chutes-autopilot-attempts') === '2');
  }

  private async falseStart(): Promise<void> {
    const [first = '', second = ''] = await this.someModels();
    this.simulator.behave(first, { kind: 'error-event', afterChunks: 0 });
    const model = `${first},${second}`;
    this.ask(`"model": "${model}", "stream": true`);
    const answer = await this.client.answerTo({ model, stream: true, messages: QUESTION });
    this.simulator.behave(first, 'normal');
    this.say(`${first} said 200 and then an error, ${this.stage.style('cyan', second)} answered`);
    this.check('the second model was chosen', answer.headers.get('x-chutes-autopilot-selected') === second);
    this.check('there is no error in the answer', !answer.body.includes('"error"') && isDone(answer));
  }

  private async halfAnswer(): Promise<void> {
    const [model = ''] = await this.someModels();
    this.simulator.behave(model, 'unfinished');
    this.ask(`"model": "${model}", "stream": true`);
    const answer = await this.client.answerTo({ model, stream: true, messages: QUESTION });
    this.simulator.behave(model, 'normal');
    const last = answer.body.trim().split('\n').at(-1) ?? '';
    this.say(this.stage.style('dim', last));
    this.check('the last event is an error that clients raise', last.includes('upstream_stream_interrupted'));
  }

  private async direct(): Promise<void> {
    const [model = ''] = await this.someModels();
    const body = `{ "temperature": 1.0, "model": "${model}", "messages": ${JSON.stringify(QUESTION)} }`;
    this.ask(`"model": "${model}"`);
    const answer = await this.client.answerTo(body);
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
    const answer = await this.client.answerTo({ model, messages: QUESTION });
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
    const rows = this.simulator.utilization as readonly { name: string; active_instance_count: number }[];
    const running = new Set(rows.filter((row) => row.active_instance_count > 0).map(({ name }) => name));
    return (await this.client.models()).filter((id) => running.has(id));
  }
}
