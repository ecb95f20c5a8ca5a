// What can be checked of the manifests without Docker and Kubernetes: that they are YAML, fit together, and fit the server.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import * as yaml from "yaml";
import { SETTINGS } from "../../src/config/settings.ts";
import { startServer } from "../server-under-test.ts";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const MIB = 1024 * 1024;

// oxlint-disable-next-line typescript/no-explicit-any -- what the manifests hold is what is checked here
type Manifest = any;

/** The documents of a file below deploy/; fails where one is no YAML, or has a key twice. */
function read(path: string): Manifest[] {
  const documents = yaml.parseAllDocuments(readFileSync(join(DEPLOY, path), "utf8"), { merge: true });
  return [...documents].map((document) => {
    assert.deepEqual(document.errors, [], path);
    return document.toJS();
  });
}

function only(kind: string): Manifest {
  const files = globSync("kubernetes/*.yaml", { cwd: DEPLOY });
  const found = files
    .flatMap(read)
    .filter((manifest) => manifest.kind === kind && manifest.metadata?.name === "cloche");
  assert.equal(found.length, 1, kind);
  return found[0];
}

const [compose] = read("container/compose.yaml");
const [cluster] = read("container/compose.cluster.yaml");
const deployment = only("Deployment");
const pod = deployment.spec.template;
const [container] = pod.spec.containers;

suite("the manifests for Kubernetes", () => {
  test("are all named by the kustomization, and each says what it is", () => {
    const [kustomization] = read("kubernetes/kustomization.yaml");
    const files = globSync("*.yaml", { cwd: join(DEPLOY, "kubernetes") }).filter(
      (name) => name !== "kustomization.yaml",
    );
    assert.deepEqual(kustomization.resources.toSorted(), files.toSorted());
    for (const file of [...files, "monitoring/pod-monitor.yaml"]) {
      for (const { apiVersion, kind, metadata } of read(`kubernetes/${file}`)) {
        assert.ok(apiVersion && kind && metadata?.name, file);
      }
    }
    assert.deepEqual(
      kustomization.images.map(({ name }: { name: string }) => name),
      [container.image],
    );
  });

  test("point at each other: selectors, ports, and what is scaled", () => {
    const { labels } = pod.metadata;
    const service = only("Service");
    const selectors = [deployment.spec.selector.matchLabels, only("PodDisruptionBudget").spec.selector.matchLabels];
    for (const selector of [...selectors, service.spec.selector]) assert.deepEqual(selector, labels);
    const [monitor] = read("kubernetes/monitoring/pod-monitor.yaml");
    assert.deepEqual(monitor.spec.selector.matchLabels, labels);
    const names = new Set<string>(container.ports.map(({ name }: { name: string }) => name));
    assert.ok(names.has(service.spec.ports[0].targetPort));
    assert.ok(names.has(monitor.spec.podMetricsEndpoints[0].port));
    const { scaleTargetRef, minReplicas } = only("HorizontalPodAutoscaler").spec;
    assert.deepEqual([scaleTargetRef.kind, scaleTargetRef.name], ["Deployment", "cloche"]);
    assert.ok(minReplicas >= 2, "one that is moved leaves another");
    const mounts = container.volumeMounts.map(({ name }: { name: string }) => name);
    assert.deepEqual(
      mounts,
      pod.spec.volumes.map(({ name }: { name: string }) => name),
    );
  });

  test("give a pod what sandboxes need, and not more: as the Compose file does", () => {
    const { securityContext } = container;
    const options: string[] = compose.services.cloche.security_opt;
    assert.deepEqual(securityContext.capabilities, { drop: compose.services.cloche.cap_drop });
    assert.equal(securityContext.allowPrivilegeEscalation, !options.includes("no-new-privileges:true"));
    assert.equal(securityContext.readOnlyRootFilesystem, compose.services.cloche.read_only);
    assert.equal(securityContext.procMount === "Unmasked", options.includes("systempaths=unconfined"));
    assert.equal(securityContext.privileged, undefined);
    assert.equal(pod.spec.hostUsers, false);
    assert.equal(pod.spec.enableServiceLinks, false);
    const { runAsNonRoot, runAsUser, seccompProfile, appArmorProfile } = pod.spec.securityContext;
    assert.equal(runAsNonRoot, true);
    assert.match(readFileSync(join(DEPLOY, "container/Dockerfile"), "utf8"), new RegExp(`--uid ${runAsUser} `));
    assert.deepEqual(seccompProfile, { type: "Localhost", localhostProfile: "cloche.json" });
    assert.deepEqual(appArmorProfile, { type: "Unconfined" });
  });

  test("set settings that there are, and leave a pod the time and the memory that they ask for", () => {
    const env = new Map<string, string>(
      container.env.map(({ name, value }: { name: string; value?: string }) => [name, value ?? ""]),
    );
    const known = new Map(Object.values(SETTINGS).map((setting) => [setting.name, setting]));
    for (const [name, value] of env) {
      const setting = known.get(name);
      assert.ok(setting, name);
      if (value !== "") assert.notEqual(setting.parse(value), undefined, `${name}=${value}`);
    }
    const longestRunS = SETTINGS.timeoutScriptS.fallback + SETTINGS.queueTimeoutS.fallback;
    assert.ok(pod.spec.terminationGracePeriodSeconds > Number(env.get("DRAIN_SECONDS")) + longestRunS);
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    assert.ok(Number(env.get("DRAIN_SECONDS")) > periodSeconds * failureThreshold, "it is noticed in time");

    const limitBytes = Number(/^(\d+)Mi$/.exec(container.resources.limits.memory)?.[1]) * MIB;
    const boxesBytes = Number(env.get("MAX_CONTAINERS")) * SETTINGS.maxMemoryBytes.fallback;
    const serverBytes = 300 * MIB; // docs/running.md
    assert.ok(limitBytes >= boxesBytes + SETTINGS.buildMemoryBytes.fallback + serverBytes);
  });

  test("ask for numbers that a server tells, and for routes that it has", async (t) => {
    const server = await startServer();
    t.after(() => server.dispose());
    const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
    for (const { httpGet } of probes) assert.equal((await fetch(server.url + httpGet.path)).status, 200, httpGet.path);

    const [monitor] = read("kubernetes/monitoring/pod-monitor.yaml");
    const response = await fetch(server.url + monitor.spec.podMetricsEndpoints[0].path);
    const told = new Set(
      [...(await response.text()).matchAll(/^(\w+)(?:\{.*\})? \d+$/gm)].map(([, name = ""]) => name),
    );
    const { metrics } = only("HorizontalPodAutoscaler").spec;
    const wanted: string[] = metrics.map(({ external, pods }: Manifest) => (external ?? pods).metric.name);
    const [{ rules }] = read("kubernetes/monitoring/prometheus-adapter-values.yaml") as [Manifest];
    assert.ok(wanted.length >= 2);
    for (const name of wanted) {
      assert.ok(told.has(name), `/metrics has ${name}`);
      const ruled = [...rules.external, ...rules.custom].filter(({ seriesQuery }) =>
        seriesQuery.startsWith(`${name}{`),
      );
      assert.equal(ruled.length, 1, `prometheus-adapter has a rule for ${name}`);
    }
  });
});

suite("the Compose file of several servers", () => {
  test("gives each server the same options as that of one, and settings that there are", () => {
    const alone = compose.services.cloche;
    const names = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
    for (const service of ["node-1", "node-2"]) {
      const server = cluster.services[service];
      for (const option of ["security_opt", "cap_drop", "read_only", "pids_limit", "ulimits", "restart", "build"]) {
        assert.deepEqual(server[option], alone[option], option);
      }
      assert.deepEqual(
        Object.keys(server.environment).filter((name) => !names.has(name)),
        [],
      );
    }
  });

  test("tells HAProxy where the servers are by the names that its sample reads", () => {
    const sample = readFileSync(join(DEPLOY, "haproxy/cloche.cfg"), "utf8");
    const read = [...sample.matchAll(/\$\{(\w+)-/g)].map(([, name = ""]) => name);
    assert.deepEqual(Object.keys(cluster.services.balancer.environment).toSorted(), read.toSorted());
    for (const place of Object.values(cluster.services.balancer.environment).slice(1) as string[]) {
      assert.ok(Object.hasOwn(cluster.services, place.split(":")[0] ?? ""), place);
    }
  });
});

test("the image's dashboard is built of all that it takes from outside of its folder", () => {
  const root = join(DEPLOY, "..");
  const files = ["tsconfig.json", ...globSync("{src,scripts}/**/*.{ts,tsx}", { cwd: join(root, "dashboard") })];
  const outside = files.flatMap((file) => {
    const path = join("dashboard", file);
    const named = readFileSync(join(root, path), "utf8").matchAll(/"((?:\.\.\/)+[^"?]+)(?:\?raw)?"/g);
    const targets = Array.from(named, ([, target = ""]) => join(dirname(path), target));
    return targets.filter((target) => !target.startsWith("dashboard/"));
  });
  assert.ok(outside.includes("tsconfig.json"), outside.join());

  const [stage = ""] = readFileSync(join(DEPLOY, "container/Dockerfile"), "utf8")
    .split(/^FROM /m)
    .slice(1);
  const copied = new Set([...stage.matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, sources = ""]) => sources.split(" ")));
  assert.deepEqual(
    outside.filter((target) => !copied.has(target)),
    [],
  );
});
