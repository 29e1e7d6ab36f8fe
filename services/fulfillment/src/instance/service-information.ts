import { z } from 'zod';
import type { Access } from '../delivery/dialect.ts';
import type { SignIn } from '../delivery/sign-in.ts';
import { boundTo } from '../bound-to.ts';
import type { Vault } from '@yunshi/service/vault';
import type { Instance } from './instance.ts';

/*
 * Service information 服务信息: what only an instance of one kind has to tell its buyer. Each piece is a field of the instance's detail,
 * null where the instance has none of it. Nothing of it is shown while the instance is suspended.
 */

const App = z.object({
  website: z.string().optional(),
  auth_url: z
    .string()
    .optional()
    .meta({ description: 'Single sign-on 免登地址; some are good for two minutes only: read it when it is used' }),
  fields: z.array(z.object({ name: z.string(), value: z.string() })).meta({ description: 'Account, initial password, keys' }),
});

/** The fields that the detail has beside those of the list. */
export const serviceInformation = {
  app: App.nullable().meta({ description: '应用信息; null until it is delivered, while it is suspended, and after it is closed' }),
};
const Information = z.object(serviceInformation);
export type ServiceInformation = z.infer<typeof Information>;

const nothing: ServiceInformation = { app: null };

export type InformationParts = { readonly vault: Pick<Vault, 'open'>; readonly signIn: SignIn };
export type InformationOf = (instance: Instance) => Promise<ServiceInformation>;

/** Reads all pieces of one instance. A new kind adds its field above and its piece here. */
export const informationFrom =
  (parts: InformationParts): InformationOf =>
  async (instance) =>
    instance.suspendedAt === null ? { app: await appOf(instance, parts) } : nothing;

async function appOf(instance: Instance, { vault, signIn }: InformationParts): Promise<z.infer<typeof App> | null> {
  const { instanceId, access } = instance;
  if (access === null) return null;
  const opened = JSON.parse(vault.open(access, boundTo.access(instanceId))) as Access;
  const { website, additional } = opened;
  const authUrl = await signIn(instance, opened);
  return { ...(website !== undefined && { website }), ...(authUrl !== undefined && { auth_url: authUrl }), fields: additional };
}
