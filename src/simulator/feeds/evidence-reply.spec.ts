import { describe, expect, test } from '@jest/globals';
import { evidenceReply } from './evidence-reply.js';
import { modelEntry } from './simulated-models.js';

const NONCE = 'ab'.repeat(32);
const TEE = modelEntry('maker/model-TEE');

describe('evidence', () => {
  test.each([
    [
      'no nonce',
      TEE,
      null,
      0,
      422,
      [{ type: 'missing', loc: ['query', 'nonce'], msg: 'Field required', input: null }],
    ],
    ['a short nonce', TEE, 'abcde', 0, 400, 'Nonce must be exactly 64 hex characters (32 bytes), got 5'],
    [
      'an unknown chute',
      undefined,
      NONCE,
      -1,
      404,
      'Chute not found or you are not authorized to access it.',
    ],
    [
      'a chute that is not TEE',
      modelEntry('maker/model', { chute_id: 'id' }),
      NONCE,
      -1,
      400,
      'Chute id is not TEE-enabled',
    ],
    [
      'an old runtime',
      TEE,
      NONCE,
      1,
      400,
      'Instances requires chutes_version >= 0.6.0 to retrieve evidence.',
    ],
    ['a failed attestation', TEE, NONCE, 3, 502, 'Failed to retrieve evidence from every instance.'],
  ])('SIM-16: %s', (_, chute, nonce, place, status, detail) => {
    const reply = evidenceReply(chute, nonce, place);
    expect(reply.status).toBe(status);
    expect(JSON.parse(reply.body)).toEqual({ detail });
  });

  test('SIM-16: one in four gives evidence bound to the nonce', () => {
    const reply = evidenceReply(TEE, NONCE, 4);
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toMatchObject({
      evidence: [
        {
          instance_id: expect.any(String),
          quote: expect.any(String),
          certificate: expect.any(String),
          gpu_evidence: [
            { arch: 'HOPPER', certificate: expect.any(String), evidence: expect.any(String) },
            { arch: 'HOPPER' },
          ],
        },
        {},
      ],
      failed_instance_ids: [],
    });
    expect(evidenceReply(TEE, 'cd'.repeat(32), 4).body).not.toBe(reply.body);
    expect(evidenceReply(TEE, NONCE, 4).body).toBe(reply.body);
  });
});
