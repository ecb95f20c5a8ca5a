// Secrets at rest: AES-256-GCM with a key that is not in the database, so that a copy of the database tells none of them.
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { PlatformError } from "../core/errors.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = "v1:";

export class SecretBox {
  readonly #key: Buffer;

  /** @param key 32 bytes */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Tells keys apart, and nothing about them. */
  get fingerprint(): string {
    return createHmac("sha256", this.#key).update("which key is it?").digest("hex");
  }

  /** @param about what it belongs to; it cannot be opened as anything else, e.g. when rows of the database are swapped */
  seal(secret: string, about: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(about));
    const sealed = Buffer.concat([nonce, cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return FORMAT + sealed.toString("base64");
  }

  /** @throws PlatformError INTERNAL where it was sealed with another key, as something else, or changed since */
  open(sealed: string, about: string): string {
    try {
      if (!sealed.startsWith(FORMAT)) throw new Error("unknown format");
      const bytes = Buffer.from(sealed.slice(FORMAT.length), "base64");
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
    } catch (cause) {
      throw new PlatformError("INTERNAL", "a secret cannot be read: was the master key changed?", { cause });
    }
  }
}

/**
 * The key from the setting, else from the file, which is made where it is missing.
 *
 * @param setting 32 bytes in hexadecimal or base64, or any passphrase of at least 32 characters
 * @throws PlatformError INTERNAL where the file belongs to or can be read by others, or does not hold a key
 */
export function masterKey(setting: string | undefined, file: string): Buffer {
  if (setting !== undefined) return keyFromText(setting);
  if (!existsSync(file))
    writeFileSync(file, `${randomBytes(KEY_BYTES).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  const { mode, uid } = statSync(file);
  const isOurs = process.getuid === undefined || uid === process.getuid();
  if ((mode & 0o077) !== 0 || !isOurs) {
    const others = isOurs ? "can be read by others" : "belongs to another user";
    throw new PlatformError(
      "INTERNAL",
      `"${file}" opens all secrets and ${others}: chown and chmod 600 it, then start again`,
    );
  }
  const text = readFileSync(file, "utf8").trim();
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new PlatformError("INTERNAL", `"${file}" must hold 64 hexadecimal digits: the key that opens the secrets`);
  }
  return Buffer.from(text, "hex");
}

function keyFromText(text: string): Buffer {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === KEY_BYTES && bytes.toString("base64") === text) return bytes;
  return createHash("sha256").update(text).digest();
}
