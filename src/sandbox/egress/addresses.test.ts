import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { canonicalHost } from "../../core/egress-policy.ts";
import { whyAddressDenied } from "./addresses.ts";

const NEVER: { readonly [why: string]: readonly string[] } = {
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  unspecified: ["0.0.0.0", "0.1.2.3", "::"],
  "link-local (cloud metadata)": ["169.254.169.254", "169.254.0.1"],
  "cloud metadata": ["168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"],
  "link-local": ["fe80::1", "febf::1"],
  "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:5db8:d822", "::ffff:93.184.216.34"],
  "IPv4-compatible": ["::7f00:1", "::2"],
  NAT64: ["64:ff9b::7f00:1", "64:ff9b::5db8:d822", "64:ff9b:1::1"],
  "6to4": ["2002:7f00:1::", "2002:5db8:d822::1", "192.88.99.1"],
  Teredo: ["2001::1", "2001:0:5db8:d822::1"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
  reserved: [
    ...["192.0.0.1", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "240.0.0.1"],
    ...["255.255.255.255", "2001:2::1", "2001:db8::1", "3fff::1", "100::1", "1234::1", "5f00::1", "fec0::1", "e000::1"],
  ],
};

const PRIVATE: { readonly [why: string]: readonly string[] } = {
  private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.255.255"],
  "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
  "unique-local": ["fc00::1", "fd12:3456::1"],
};

const PUBLIC = [
  ...["1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "191.255.255.255", "223.255.255.255"],
  ...["169.253.255.255", "192.0.1.1", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1", "2003::1"],
];

for (const [why, addresses] of Object.entries(NEVER))
  test(`${why} addresses are denied, whatever the policy`, () => {
    for (const address of addresses)
      for (const allowsPrivate of [false, true]) assert.equal(whyAddressDenied(address, allowsPrivate), why, address);
  });

for (const [why, addresses] of Object.entries(PRIVATE))
  test(`${why} addresses are denied unless private ones are allowed`, () => {
    for (const address of addresses) {
      assert.equal(whyAddressDenied(address, false), why, address);
      assert.equal(whyAddressDenied(address, true), undefined, address);
    }
  });

test("public addresses of both families are allowed", () => {
  for (const address of PUBLIC) assert.equal(whyAddressDenied(address, false), undefined, address);
});

test("the host's own addresses are denied, whatever the policy", () => {
  const own = Object.values(networkInterfaces()).flatMap((one) => (one ?? []).filter(({ internal }) => !internal));
  assert(own.length > 0, "this test needs an interface beside loopback");
  for (const { address } of own) assert.equal(whyAddressDenied(address, true), "one of this host's own addresses");
});

test("an odd spelling of an address is denied like the plain one", () => {
  for (const text of ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "１２７.0.0.1", "[0::1]"])
    assert.equal(whyAddressDenied(canonicalHost(text) ?? "", false), "loopback", text);
  assert.equal(whyAddressDenied(canonicalHost("[::FFFF:169.254.169.254]") ?? "", false), "IPv4-mapped");
});

test("what is no address is denied", () => {
  assert.equal(whyAddressDenied("example.org", true), "no address");
});
