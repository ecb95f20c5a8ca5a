/** Bounds that a run meets, each with the setting that changes it; messages name both. */
export interface RunLimits {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  /** Of printed text, and of a returned value. */
  readonly outputBytes: number;
  /** Of one script's source, UTF-8. */
  readonly codeBytes: number;
  /** Of one request's body. */
  readonly bodyBytes: number;
  /** Of one request's body to a function, which is streamed. */
  readonly httpBodyBytes: number;
}
