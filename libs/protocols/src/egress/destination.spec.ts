import { describe, expect, test } from 'vitest';
import { isPublicAddress, judgeUrl } from './destination.ts';

const production = { development: false, allowed: [] };
const judge = (url: string, rules: { development: boolean; allowed: readonly string[] } = production) => {
  const judged = judgeUrl(url, rules);
  return judged.ok ? 'may leave' : judged.refusal;
};

describe('outside development', () => {
  test.each([
    // what a provider's endpoint looks like
    ['https://saas.example.com/deliver', 'may leave'],
    ['https://saas.example.com:443/deliver', 'may leave'],
    ['HTTPS://SAAS.EXAMPLE.COM/deliver', 'may leave'],
    ['https://saas.xn--fiqs8s/deliver', 'may leave'],
    ['https://商品.中国/deliver', 'may leave'],
    ['https://8.8.8.8/deliver', 'may leave'],
    ['https://[2400:3200::1]/deliver', 'may leave'],
    // no address at all, or no web address
    ['', 'not-a-url'],
    ['saas.example.com', 'not-a-url'],
    ['https://', 'not-a-url'],
    ['https://999.1.1.1/', 'not-a-url'],
    ['https://exa mple.com/', 'not-a-url'],
    ['https://[::1', 'not-a-url'],
    ['http://saas.example.com/', 'scheme'],
    ['ftp://saas.example.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['gopher://127.0.0.1:6379/_FLUSHALL', 'scheme'],
    ['data:text/plain,hello', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['unix:/var/run/docker.sock', 'scheme'],
    // credentials, also where they pretend to be the host
    ['https://user@saas.example.com/', 'credentials'],
    ['https://user:secret@saas.example.com/', 'credentials'],
    ['https://saas.example.com@127.0.0.1/', 'credentials'],
    ['https://127.0.0.1\\@saas.example.com/', 'address'],
    // ports
    ['https://saas.example.com:8443/', 'port'],
    ['https://saas.example.com:22/', 'port'],
    ['https://saas.example.com:0/', 'port'],
    // this machine by number, in every spelling that parsers know
    ['https://127.0.0.1/', 'address'],
    ['https://127.1/', 'address'],
    ['https://127.0.1/', 'address'],
    ['https://2130706433/', 'address'],
    ['https://0x7f000001/', 'address'],
    ['https://0x7f.0.0.1/', 'address'],
    ['https://0177.0.0.1/', 'address'],
    ['https://017700000001/', 'address'],
    ['https://127.0.0.1./', 'address'],
    ['https://127.255.255.254/', 'address'],
    ['https://0.0.0.0/', 'address'],
    ['https://0/', 'address'],
    ['https://１２７.0.0.1/', 'address'],
    ['https://127。0。0。1/', 'address'],
    ['https://%31%32%37.0.0.1/', 'address'],
    ['https://[::1]/', 'address'],
    ['https://[::]/', 'address'],
    ['https://[0:0:0:0:0:0:0:1]/', 'address'],
    ['https://[::ffff:127.0.0.1]/', 'address'],
    ['https://[::ffff:7f00:1]/', 'address'],
    ['https://[::127.0.0.1]/', 'address'],
    ['https://[64:ff9b::7f00:1]/', 'address'],
    ['https://[64:ff9b::8.8.8.8]/', 'address'],
    ['https://[64:ff9b:1::a00:1]/', 'address'],
    ['https://[2002:7f00:1::]/', 'address'],
    ['https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/', 'address'],
    // this network
    ['https://10.0.0.1/', 'address'],
    ['https://172.16.0.1/', 'address'],
    ['https://172.31.255.255/', 'address'],
    ['https://172.32.0.1/', 'may leave'],
    ['https://192.168.1.1/', 'address'],
    ['https://3232235777/', 'address'],
    ['https://100.64.0.1/', 'address'],
    ['https://100.100.100.200/', 'address'],
    ['https://169.254.169.254/latest/meta-data/', 'address'],
    ['https://0xa9fea9fe/', 'address'],
    ['https://[::ffff:a9fe:a9fe]/', 'address'],
    ['https://168.63.129.16/', 'address'],
    ['https://192.0.0.192/', 'address'],
    ['https://198.18.0.1/', 'address'],
    ['https://[fc00::1]/', 'address'],
    ['https://[fd12:3456:789a::1]/', 'address'],
    ['https://[fd00:ec2::254]/', 'address'],
    ['https://[fe80::1]/', 'address'],
    ['https://[fec0::1]/', 'address'],
    // nobody's address
    ['https://192.0.2.1/', 'address'],
    ['https://198.51.100.7/', 'address'],
    ['https://203.0.113.9/', 'address'],
    ['https://224.0.0.1/', 'address'],
    ['https://240.0.0.1/', 'address'],
    ['https://255.255.255.255/', 'address'],
    ['https://[2001:db8::1]/', 'address'],
    ['https://[ff02::1]/', 'address'],
    ['https://[100::1]/', 'address'],
    ['https://[4000::1]/', 'address'],
    // names that mean this machine or this network
    ['https://localhost/', 'host'],
    ['https://LOCALHOST/', 'host'],
    ['https://localhost./', 'host'],
    ['https://app.localhost/', 'host'],
    ['https://printer.local/', 'host'],
    ['https://metadata.google.internal/', 'host'],
    ['https://kubernetes/', 'host'],
    ['https://postgres.lan/', 'host'],
    ['https://1.0.0.127.in-addr.arpa/', 'host'],
    ['https://saas.example.com./', 'host'],
  ])('%s → %s', (url, verdict) => {
    expect(judge(url)).toBe(verdict);
  });
});

describe('in development', () => {
  const rules = { development: true, allowed: ['127.0.0.1:8086', '[::1]:8086'] };

  test.each([
    ['http://127.0.0.1:8086/sandbox/provider/p/deliver', 'may leave'],
    ['http://[::1]:8086/deliver', 'may leave'],
    ['http://2130706433:8086/deliver', 'may leave'],
    ['http://127.0.0.1:5432/', 'scheme'],
    ['https://127.0.0.1/', 'address'],
    ['http://127.0.0.2:8086/', 'scheme'],
    ['http://localhost:8086/', 'scheme'],
    ['http://user@127.0.0.1:8086/', 'credentials'],
    ['http://169.254.169.254/', 'scheme'],
    ['https://saas.example.com/deliver', 'may leave'],
  ])('%s → %s', (url, verdict) => {
    expect(judge(url, rules)).toBe(verdict);
  });
});

describe('a resolved address', () => {
  test.each([
    ['8.8.8.8', true],
    ['2400:3200::1', true],
    ['10.1.2.3', false],
    ['::ffff:8.8.8.8', false],
    ['::ffff:10.0.0.1', false],
    ['fe80::1%eth0', false],
    ['2400:3200::1%eth0', false],
    ['not an address', false],
    ['', false],
  ])('%s is public: %s', (address, verdict) => {
    expect(isPublicAddress(address)).toBe(verdict);
  });
});
