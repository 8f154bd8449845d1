import { ApiError } from '../../src/openai/api-error.js';

/** The error that `act` throws; fails where it throws none, or another kind. */
export function apiErrorOf(act: () => unknown): ApiError {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('It threw nothing.');
}
