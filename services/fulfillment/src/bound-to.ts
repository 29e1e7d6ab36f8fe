/** The rows and columns that keep something sealed: a value that is moved elsewhere does not open there. */
export const boundTo = {
  access: (instanceId: string) => `instances.access ${instanceId}`,
  token: (productId: string) => `endpoints.token ${productId}`,
  serverPassword: (instanceId: string) => `instances.server password ${instanceId}`,
  cloudKey: (secretId: string) => `cloud_keys.secret_key ${secretId}`,
  upstreamToken: (productId: string) => `upstreams.token ${productId}`,
  secretKey: (secretId: string) => `api_keys.secret_key ${secretId}`,
};
