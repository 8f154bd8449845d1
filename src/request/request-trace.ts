/** Is told what becomes of a request while it runs. There is one only where traces are wanted. */
export interface RequestTrace {
  /** @param model the value of `model` that the client sent */
  asked(model: string): void;
  /**
   * The request is sent to an upstream; the attempt before this one, if there was any, has ended.
   *
   * @param model that is asked for, if any
   */
  attempted(target: { readonly method: string; readonly origin: string }, model?: string): void;
  /** The attempt was answered. */
  answered(status: number): void;
  /** The attempt has failed. */
  failed(reason: string): void;
}
