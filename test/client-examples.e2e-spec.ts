import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildRouter } from './support/process.js';
import { describeWithPython, runPython } from './support/python.js';
import { eventually } from './support/router.js';

const SAYS = /\bsimulated [\w-]+\/[\w.-]+\./;

let demo: ChildProcess;
let baseURL: string;

beforeAll(async () => {
  demo = spawn(process.execPath, [join(dirname(await buildRouter()), 'demo', 'main.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  demo.stdout?.on('data', (text) => (output += String(text)));
  await eventually(() => output.includes('console.log('), 30_000);
  [, baseURL = ''] = /baseURL: '([^']+)'/.exec(output) ?? [];
}, 90_000);

afterAll(async () => {
  demo.kill('SIGKILL');
  await once(demo, 'close');
});

/** What the fenced blocks of a language hold, in their order. */
function blocksIn(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  );
}

function blockWith(words: string, text: string, language: string): string {
  const block = blocksIn(text, language).find((code) => code.includes(words));
  if (block === undefined) throw new Error(`There is no example with ${words}.`);
  return block;
}

function readmeOf(client: string): string {
  return readFileSync(`node_modules/${client}/README.md`, 'utf8');
}

/** What a module prints. */
async function run(code: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    env: { CHUTES_API_KEY: 'demo', ...env },
  });
  return stdout;
}

const readme = readFileSync('README.md', 'utf8');
const [, section = ''] = /^## Clients\n(.*?)^## /ms.exec(readme) ?? [];

/** What clients of Anthropic's take for the base URL. */
function address(): string {
  return baseURL.replace(/\/v1$/, '');
}

describe('the examples of the README', () => {
  const examples = blocksIn(section, 'js').map((code) => [/from '([^']+)'/.exec(code)?.[1], code] as const);

  test.each(examples)('PRJ-18: the one with %s runs', async (_, code) => {
    expect(code).toContain('http://127.0.0.1:8080');
    expect(await run(code.replace('http://127.0.0.1:8080', address()))).toMatch(SAYS);
  });

  test('PRJ-18: Claude Code is pointed at the address, its token and models are taken', async () => {
    const block = blockWith('claude', section, 'sh');
    const env = Object.fromEntries(
      [...block.matchAll(/^export (\w+)=(\S+)/gm)].map(([, name, value]) => [name, value]),
    );
    expect(env).toMatchObject({
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:8080',
      ANTHROPIC_AUTH_TOKEN: '$CHUTES_API_KEY',
    });
    for (const model of [env['ANTHROPIC_MODEL'], env['ANTHROPIC_DEFAULT_HAIKU_MODEL']]) {
      const answer = await fetch(`${address()}/v1/messages?beta=true`, {
        method: 'POST',
        headers: { authorization: 'Bearer demo', 'content-type': 'application/json' },
        body: JSON.stringify({ model, max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] }),
      });
      expect(await answer.json()).toMatchObject({ type: 'message', role: 'assistant' });
    }
  });

  test('PRJ-18: what Codex makes of its configuration is answered', async () => {
    const [config = ''] = blocksIn(section, 'toml');
    const valueOf = (key: string) => new RegExp(`^${key} = "(.*)"$`, 'm').exec(config)?.[1] ?? '';
    expect([valueOf('wire_api'), valueOf('env_key')]).toEqual(['responses', 'CHUTES_API_KEY']);
    const url = valueOf('base_url').replace('http://127.0.0.1:8080', address());
    const answer = await fetch(`${url}/responses`, {
      method: 'POST',
      headers: { authorization: 'Bearer demo', 'content-type': 'application/json' },
      body: JSON.stringify({ model: valueOf('model'), input: 'Hello', stream: true }),
    });
    expect(await answer.text()).toMatch(/^event: response\.created\n.*event: response\.completed\n.*\n\n$/s);
  });

  test('PRJ-18: what curl sends is answered', async () => {
    const [, path = '', body = ''] =
      /curl -N http:\/\/127\.0\.0\.1:8080\/v1(\S+) .*-d '(.*)'/s.exec(blockWith('curl', readme, 'sh')) ?? [];
    const answer = await fetch(baseURL + path, { method: 'POST', body });
    expect(await answer.text()).toMatch(/^data: .*data: \[DONE\]\n\n$/s);
  });
});

describeWithPython('the examples of the README in Python', () => {
  test.each(blocksIn(section, 'python'))('PRJ-18: run', async (code) => {
    expect(code).toContain('http://127.0.0.1:8080/v1');
    const said = await runPython(code.replace('http://127.0.0.1:8080/v1', baseURL), {
      CHUTES_API_KEY: 'demo',
    });
    expect(said).toMatch(SAYS);
  });

  test('PRJ-18, SIM-10: one that takes the first choice of every chunk fails, as it does at Chutes', async () => {
    const [code = ''] = blocksIn(section, 'python');
    const careless = code
      .replace('if chunk.choices:', 'if True:')
      .replace('http://127.0.0.1:8080/v1', baseURL);
    await expect(runPython(careless, { CHUTES_API_KEY: 'demo' })).rejects.toThrow('IndexError');
  });
});

describeWithPython('OpenAI’s client for Python', () => {
  test('SIM-33: parses what fits a schema, and the tool it is told to call', async () => {
    const said = await runPython(PARSING, { BASE_URL: baseURL });
    expect(said).toMatch(/^simulated title [1-9]\d* forecast simulated city\n$/);
  });
});

const PARSING = `
import os
import openai
from pydantic import BaseModel

class Book(BaseModel):
    title: str
    pages: int

class Forecast(BaseModel):
    city: str

client = openai.OpenAI(base_url=os.environ["BASE_URL"], api_key="demo")
messages = [{"role": "user", "content": "Hello"}]
parse = client.chat.completions.parse
book = parse(model="chutesai/AutoPilot", messages=messages, response_format=Book).choices[0].message.parsed
tools = [openai.pydantic_function_tool(Forecast, name="forecast")]
message = parse(model="chutesai/AutoPilot", messages=messages, tools=tools).choices[0].message
call = message.tool_calls[0].function
print(book.title, book.pages, call.name, call.parsed_arguments.city)
`;

describe("the clients' own examples run with another base URL and key alone", () => {
  test('SIM-31, RTE-21: openai', async () => {
    const example = blockWith('client.chat.completions.create', readmeOf('openai'), 'ts');
    expect(await run(example, { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: 'demo' })).toMatch(SAYS);
  });

  test('SIM-31, DOR-9: openai, by the Responses API', async () => {
    const example = blockWith('client.responses.create', readmeOf('openai'), 'ts');
    expect(await run(example, { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: 'demo' })).toMatch(SAYS);
  });

  test('SIM-31, DOR-10: @anthropic-ai/sdk', async () => {
    const example = blockWith('client.messages.create', readmeOf('@anthropic-ai/sdk'), 'js');
    const env = { ANTHROPIC_BASE_URL: address(), ANTHROPIC_API_KEY: 'demo' };
    expect(await run(example, env)).toMatch(SAYS);
  });

  // They print nothing.
  test.each(['@ai-sdk/openai', '@ai-sdk/anthropic'])('SIM-31: %s', async (client) => {
    const example = blockWith('generateText', readmeOf(client), 'ts');
    const env = {
      OPENAI_BASE_URL: baseURL,
      OPENAI_API_KEY: 'demo',
      ANTHROPIC_BASE_URL: baseURL,
      ANTHROPIC_API_KEY: 'demo',
    };
    expect(await run(`${example}\nconsole.log(text);`, env)).toMatch(SAYS);
  });

  test('SIM-31, DOR-9: @openai/agents, with a model', async () => {
    const example = blockWith("from '@openai/agents'", readmeOf('@openai/agents'), 'js');
    const env = {
      OPENAI_BASE_URL: baseURL,
      OPENAI_API_KEY: 'demo',
      // An alias of the demo; this client takes the name in lower case.
      OPENAI_DEFAULT_MODEL: 'gpt-5.5',
      OPENAI_AGENTS_DISABLE_TRACING: '1',
    };
    expect(await run(example, env)).toMatch(SAYS);
  });

  test('SIM-31, RTE-21: AI SDK', async () => {
    const example = blockWith('generateText', readmeOf('@ai-sdk/openai-compatible'), 'ts');
    const code = `${example.replace('https://api.example.com/v1', baseURL)}\nconsole.log(text);`;
    expect(await run(code, { MY_API_KEY: 'demo' })).toMatch(SAYS);
  });

  // They lack an import, and give a message where LangChain takes several, or a text.
  test.each(['model.invoke', 'model.stream'])('SIM-31, RTE-21: LangChain, %s', async (words) => {
    const example = blockWith(words, readmeOf('@langchain/openai'), 'typescript');
    const code = `${example.replace(/new HumanMessage\((.*?)\)/, '$1')}
      console.log(response.text ?? (await Array.fromAsync(response)).map(({ text }) => text).join(''));`;
    expect(await run(code, { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: 'demo' })).toMatch(SAYS);
  });
});
