import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { eventually } from './router.js';

export type SeriesLabels = Readonly<Record<string, string>>;

/** One series of a query's answer. */
export interface Sample {
  readonly labels: SeriesLabels;
  readonly value: number;
}

export interface EvaluatedRule {
  readonly name: string;
  /** `ok`, `err`, or `unknown` before its first evaluation. */
  readonly health: string;
  readonly lastError?: string;
}

interface PrometheusConfig {
  global: Record<string, string>;
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[]; [setting: string]: unknown }[];
}

/** A Prometheus of the test's own that runs a configuration of the project, on a free port of 127.0.0.1. */
export class PrometheusServer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /**
   * @param configFolder with `prometheus.yml` and the rules it names
   * @param target `host:port` to scrape instead of the configured one, and more often; for the job `another-program`, too
   */
  static async start(configFolder: string, target: string): Promise<PrometheusServer> {
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
    await cp(configFolder, folder, { recursive: true });
    const path = join(folder, 'prometheus.yml');
    const config = parse(await readFile(path, 'utf8')) as PrometheusConfig;
    config.global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
    for (const one of config.scrape_configs) one.static_configs = [{ targets: [target] }];
    config.scrape_configs.push(anotherProgram(target));
    await writeFile(path, stringify(config));

    const args = [
      `--config.file=${path}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ];
    const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const address = () => /Listening on".* address=(\S+)/.exec(output)?.[1];
    try {
      await eventually(async () => {
        if (child.exitCode !== null) throw new Error(`prometheus ended: ${output}`);
        return address() !== undefined && (await fetch(`http://${address()}/-/ready`)).ok;
      }, 30_000);
      return new PrometheusServer(`http://${address()}`, child, folder);
    } catch (error) {
      await end(child, folder);
      throw error;
    }
  }

  /**
   * @param atSeconds as of when, in Unix time; now, if it is not given
   * @throws with Prometheus' own words where it does not understand the expression
   */
  async query(expression: string, atSeconds?: number): Promise<readonly Sample[]> {
    interface Result {
      result: { metric: SeriesLabels; value: [number, string] }[];
    }
    const { result } = await this.#get<Result>('query', {
      query: expression,
      ...(atSeconds === undefined ? {} : { time: String(atSeconds) }),
    });
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** The series that a selector selects. */
  async series(selector: string): Promise<readonly SeriesLabels[]> {
    return this.#get('series', { 'match[]': selector });
  }

  /** The values of a label, in any series or in those selected. */
  async valuesOf(label: string, selector = '{__name__!=""}'): Promise<readonly string[]> {
    return this.#get(`label/${label}/values`, { 'match[]': selector });
  }

  /** The names of all labels. */
  async labels(): Promise<readonly string[]> {
    return this.#get('labels', {});
  }

  async rules(): Promise<readonly EvaluatedRule[]> {
    const { groups } = await this.#get<{ groups: { rules: EvaluatedRule[] }[] }>('rules', {});
    return groups.flatMap(({ rules }) => rules);
  }

  /** Waits until the router's state at the time of this call has been scraped, for both jobs. @returns when it was, in Unix time */
  async scraped(): Promise<number> {
    const nowSeconds = Date.now() / 1000;
    let atSeconds = 0;
    await eventually(async () => {
      const areAllNew = `min(timestamp(up)) > ${nowSeconds} and count(up == 1) == 2`;
      const [last] = await this.query(`max(timestamp(up)) and ${areAllNew}`);
      atSeconds = last?.value ?? 0;
      return last !== undefined;
    }, 30_000);
    return atSeconds;
  }

  async close(): Promise<void> {
    await end(this.child, this.folder);
  }

  async #get<T>(path: string, parameters: Readonly<Record<string, string>>): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return data;
  }
}

/** Under a job of its own, the router as it would look if it were any program of Node. */
function anotherProgram(target: string): PrometheusConfig['scrape_configs'][number] {
  const drop = { source_labels: ['__name__'], regex: 'chutes_autopilot_.*', action: 'drop' };
  return {
    job_name: 'another-program',
    static_configs: [{ targets: [target] }],
    metric_relabel_configs: [drop],
  };
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
}
