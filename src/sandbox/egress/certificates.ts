import { existsSync } from "node:fs";
import type { BaseImage } from "../../core/base-image.ts";

/** Debian, Ubuntu, Arch, Alpine; Fedora and its like. */
const BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
const IN_BOX = "/etc/ssl/certs/ca-certificates.crt";

/** The host's list of certificate authorities, where it has one at a usual place. */
export function findCertificates(): string | undefined {
  return BUNDLES.find((path) => existsSync(path));
}

/** The image with the host's list of certificate authorities in it: without one, code could not tell whom it talks to. */
export function withCertificates(image: BaseImage): BaseImage {
  const bundle = findCertificates();
  if (bundle === undefined) return image;
  return {
    ...image,
    binds: [...image.binds, { from: bundle, to: IN_BOX }],
    env: { ...image.env, SSL_CERT_FILE: IN_BOX },
  };
}
