import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs, styleText } from 'node:util';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../app.factory.js';
import { loadConfig } from '../config/config.js';
import { ChutesSimulator } from '../simulator/chutes-simulator.js';
import { Watchers } from '../status/watchers.socket.js';
import { type Stage, Tour } from './tour.js';

const PORT = 8080;
/** From the third on it is what the clients' own examples ask for: `openai`, LangChain, the AI SDK, Anthropic's. */
const ALIASES = [
  'chutesai/AutoPilot',
  'chutesai-routing/AutoPilot',
  'gpt-5.5',
  'gpt-4-1106-preview',
  'meta-llama/Llama-3-70b-chat-hf',
  'gpt-6-luna',
  'claude-opus-5-5',
  'claude-haiku-5-5',
];

const stage: Stage = {
  write: (text) => void process.stdout.write(text),
  style: (format, text) => styleText(format, text),
};

const SILENT: Stage = { write: () => {}, style: (_, text) => text };

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
process.exitCode = await demo(values.once);

/** The router against a simulated Chutes, in one process. @returns the exit code. */
async function demo(isOnce: boolean): Promise<number> {
  const simulator = await ChutesSimulator.start({ pace: { firstTokenMs: 250, tokenMs: 25 } });
  const router = await startRouter(simulator.url);
  try {
    const { port } = router.getHttpServer().address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}/v1`;
    await untilReady(`http://127.0.0.1:${port}/readyz`);
    stage.write(pageNote(`http://127.0.0.1:${port}/autopilot`));
    const isFine = await new Tour(baseUrl, simulator, stage).run();
    if (isOnce) return isFine ? 0 : 1;
    stage.write(invitation(baseUrl));
    replayTo(router.get(Watchers), () => new Tour(baseUrl, simulator, SILENT));
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    return isFine ? 0 : 1;
  } finally {
    router.getHttpServer().closeAllConnections();
    await router.close();
    await simulator.close();
  }
}

/** Whoever opens the status page is to see something happen: the tour, once more and without a word. */
function replayTo({ arrivals }: Watchers, tour: () => Tour): void {
  let isRunning = false;
  arrivals.subscribe(() => {
    if (isRunning) return;
    isRunning = true;
    void tour()
      .run()
      .finally(() => {
        isRunning = false;
      });
  });
}

async function startRouter(upstream: string): Promise<NestFastifyApplication> {
  const config = loadConfig({
    BACKEND_BASE_URL: upstream,
    RESPONSES_BASE_URL: upstream,
    MESSAGES_BASE_URL: upstream,
    EVIDENCE_BASE_URL: upstream,
    MODELS_URL: `${upstream}/v1/models`,
    UTILIZATION_URL: `${upstream}/chutes/utilization`,
    STATS_URL: `${upstream}/invocations/stats/llm`,
    AUTOPILOT_ALIASES: ALIASES.join(','),
    LOG_LEVEL: 'silent',
  });
  const app = await createApp(config);
  try {
    await app.listen(PORT, '127.0.0.1');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error;
    await app.listen(0, '127.0.0.1');
  }
  return app;
}

async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await fetch(url)).ok) {
    if (performance.now() > deadline) throw new Error('The router did not become ready.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function pageNote(url: string): string {
  return `why this model: ${styleText('cyan', url)} shows each decision as it is made\n`;
}

function invitation(baseUrl: string): string {
  return `
${styleText('bold', 'your turn')}: the router stays up at ${styleText('cyan', baseUrl)} until Ctrl-C
(open the page above, and the tour happens again, there)

  curl -N ${baseUrl}/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"chutesai/AutoPilot","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

  import OpenAI from 'openai';
  const client = new OpenAI({ baseURL: '${baseUrl}', apiKey: 'demo' });
  const messages = [{ role: 'user', content: 'Hello' }];
  const answer = await client.chat.completions.create({ model: 'chutesai/AutoPilot', messages });
  console.log(answer.choices[0].message.content);

`;
}
