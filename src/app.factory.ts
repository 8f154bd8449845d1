import type { IncomingMessage, RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import type { DestinationStream } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { Doors } from './http-edge/doors.js';
import { originForm } from './http-edge/framing.js';
import { FrontDoor } from './http-edge/front-door.js';
import { createHttpServer, onClientError } from './http-edge/http-server.factory.js';
import { letBodyPass } from './http-edge/pass-body.socket.js';
import { sendError } from './http-edge/send-error.socket.js';
import { cutIfStalled } from './http-edge/stalled-answer.timer.js';
import { toApiError } from './openai/to-error-response.js';
import { createLogOutput } from './telemetry/log-output.factory.js';

/** Methods that may carry a body. */
const BODY_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];

/** The router, ready to listen. Its tests start the same one. */
export async function createApp(
  config: Config,
  logDestination: DestinationStream = createLogOutput(),
): Promise<NestFastifyApplication> {
  const frontDoor = new FrontDoor();
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config, logDestination, frontDoor),
    createAdapter(config, frontDoor),
    { bodyParser: false, bufferLogs: true },
  );
  app.useLogger(app.get(Logger));
  return app;
}

function createAdapter(config: Config, frontDoor: FrontDoor): FastifyAdapter {
  const { served } = new Doors(config.backends);
  const adapter = new FastifyAdapter({
    // The router writes one line per request itself.
    logger: false,
    return503OnClosing: false,
    // Model ids are path parameters; whether there is such a model is not a question of length.
    routerOptions: { maxParamLength: 65_536 },
    serverFactory: (handle: RequestListener) =>
      createHttpServer((request, response) => {
        if (!frontDoor.takes(request, response)) handle(request, response);
      }, config),
    clientErrorHandler: onClientError,
    rewriteUrl: ({ url }: IncomingMessage) => originForm(url ?? '/'),
    // What the framework refuses before a route is found does not reach the exception filter.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack();
      const record = frontDoor.gatekeeper.open(request.raw, reply.raw, false);
      sendError(record, toApiError(error, request.raw.url ?? '', served));
    },
  });
  const fastify = adapter.getInstance();
  // Bodies are read by the router, as bytes and whatever type they are said to have.
  for (const method of BODY_METHODS)
    fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  fastify.addHook('onSend', ({ raw, record }, reply, payload, done) => {
    void reply.header('x-request-id', record.id);
    if (typeof payload === 'string' || Buffer.isBuffer(payload)) record.answered(payload, performance.now());
    letBodyPass(raw);
    cutIfStalled(reply.raw, record);
    done();
  });
  return adapter;
}
