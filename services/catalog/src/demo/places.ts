import { addDays } from '@yunshi/kernel/calendar';
import { demoProviders } from '@yunshi/contracts/demo-world';
import type { Category, Provider } from '../product/products.ts';

export const demoCategories: readonly Category[] = [
  { categoryId: 'customers', name: '客户与营销', nameEn: 'Customers and marketing', position: 1 },
  { categoryId: 'office', name: '协同办公', nameEn: 'Office and collaboration', position: 2 },
  { categoryId: 'management', name: '企业管理', nameEn: 'Business management', position: 3 },
  { categoryId: 'security', name: '安全', nameEn: 'Security', position: 4 },
  { categoryId: 'ai', name: '人工智能与数据', nameEn: 'AI and data', position: 5 },
  { categoryId: 'environments', name: '运行环境', nameEn: 'Runtime environments', position: 6 },
  { categoryId: 'websites', name: '建站与备案', nameEn: 'Websites and filing', position: 7 },
  { categoryId: 'services', name: '上云与培训', nameEn: 'Migration and training', position: 8 },
];

type Facts = Omit<Provider, 'providerId' | 'name' | 'nameEn' | 'joinedAt' | 'selfOperated'> & {
  readonly joinedDaysAgo: number;
  readonly selfOperated?: boolean;
};

// The mail addresses end in a domain that is reserved for examples (RFC 2606).
const facts: Readonly<Record<keyof typeof demoProviders, Facts>> = {
  fanying: {
    about: '专注客户服务与企业协同的软件公司，为零售、物流和教育行业提供开箱即用的 SaaS 应用。',
    aboutEn: 'Software for customer service and collaboration, ready to use for retail, logistics and education.',
    phone: '400-000-0101',
    email: 'service@fanying.example',
    serviceHours: '每天 8:00–22:00',
    joinedDaysAgo: 1_460,
  },
  chenxi: {
    about: '面向小微企业的轻应用团队：排班、问卷、进销存，注册即用。',
    aboutEn: 'Light applications for small companies: shifts, surveys, stock.',
    phone: '400-000-0102',
    email: 'hello@chenxi.example',
    serviceHours: '工作日 9:00–18:00',
    joinedDaysAgo: 95,
  },
  lidun: {
    about: '网络安全服务商，提供等保加固镜像、渗透测试与合规咨询，团队成员均持证上岗。',
    aboutEn: 'Network security: hardened images, penetration tests and compliance advice by certified staff.',
    phone: '400-000-0103',
    email: 'support@lidun.example',
    serviceHours: '7×24 小时',
    joinedDaysAgo: 1_120,
  },
  wenlan: {
    about: '文字、语音与数据智能接口提供商，日均处理调用超过两千万次。',
    aboutEn: 'APIs for text, speech and data, more than twenty million calls a day.',
    phone: '400-000-0104',
    email: 'api@wenlan.example',
    serviceHours: '工作日 9:00–21:00',
    joinedDaysAgo: 830,
  },
  muzuo: {
    about: '只做镜像的小团队：环境装好、参数调好、文档写好，开机即用。',
    aboutEn: 'A small team that makes images only: installed, tuned and documented.',
    phone: '400-000-0105',
    email: 'images@muzuo.example',
    serviceHours: '工作日 10:00–19:00',
    joinedDaysAgo: 610,
  },
  direct: {
    about: '云市自营服务团队，提供上云迁移、建站备案和技术培训，由平台工程师直接交付。',
    aboutEn: 'The marketplace’s own engineers: migration, websites, filing and training.',
    phone: '400-000-0100',
    email: 'direct@yunshi.example',
    serviceHours: '每天 9:00–21:00',
    joinedDaysAgo: 1_825,
    selfOperated: true,
  },
};

export const demoProviderRows = (today: Date): Provider[] =>
  Object.entries(demoProviders).map(([key, { providerId, name, nameEn }]) => {
    const { joinedDaysAgo, selfOperated = false, ...rest } = facts[key as keyof typeof facts];
    return { providerId, name, nameEn, selfOperated, ...rest, joinedAt: addDays(today, -joinedDaysAgo) };
  });
