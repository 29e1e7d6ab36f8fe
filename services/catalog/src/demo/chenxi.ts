import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { byMonth, byYear, exhibit, seatsByMonth, sku, trial, type Exhibit } from './shelf.ts';

const by = demoProviders.chenxi;
const { stock, shifts, survey } = demoProducts;

export const chenxiShelf: readonly Exhibit[] = [
  exhibit(
    stock,
    by,
    { categoryId: 'management', deliveryType: 'saas' },
    {
      nameEn: 'Chenxi Stock',
      summary: '小店也能用好的进销存：扫码入库、库存预警、利润一眼看清。',
      summaryEn: 'Stock for small shops: scan goods in, be warned when they run out, see the margin at a glance.',
      description: `## 产品亮点
- **扫码开单**：手机即扫码枪，进货、销售、盘点一键完成。
- **库存预警**：低于安全库存自动提醒补货。
- **多门店**：调拨、对账、往来账清晰。

> In English: stock keeping for shops that have no IT department.`,
      guide: `1. 开通后用管理员账号登录，导入商品资料。
2. 在「门店」添加店员，扫码绑定手机。`,
    },
    [sku(stock.skus.monthly, '单店版', byMonth(58)), sku(stock.skus.yearly, '连锁版（10 店）', byYear(2_980))],
    { sold: 36, publishedDaysAgo: 60 },
  ),
  exhibit(
    shifts,
    by,
    { categoryId: 'management', deliveryType: 'saas' },
    {
      nameEn: 'Chenxi Shifts',
      summary: '按客流预测自动排班，员工手机换班，工时合规自动检查。',
      summaryEn: 'Shifts planned from expected visitors; people swap them by phone; working hours are checked.',
      description: `## 产品亮点
- **智能排班**：结合客流、技能与偏好，一周班表一分钟生成。
- **手机换班**：员工自助换班、店长一键确认。
- **合规检查**：超时、连班自动提示。

> In English: rosters from demand forecasts, with swaps by phone.`,
      guide: `1. 开通后导入员工与门店。
2. 选择排班规则，点击「生成班表」。`,
    },
    [trial(shifts.skus.trial, shifts.skus.seats), sku(shifts.skus.seats, '标准版（按人按月）', seatsByMonth(6, 10))],
    { sold: 218, publishedDaysAgo: 85 },
  ),
  exhibit(
    survey,
    by,
    { categoryId: 'customers', deliveryType: 'saas' },
    {
      nameEn: 'Chenxi Survey',
      summary: '问卷、表单、投票，五分钟上线，数据实时成图。',
      summaryEn: 'Surveys, forms and votes, online in five minutes, charted as they come in.',
      description: `## 产品亮点
- **题型丰富**：逻辑跳转、配额、文件上传。
- **多端回收**：二维码、短信、小程序。
- **实时统计**：交叉分析，一键导出。
- **用量透明**：免费版含 2000 Mb 附件流量，用了多少随时可查，快用完时提醒。

> In English: surveys with logic, quotas and live charts. The free edition is enough for 100 answers a month.`,
      guide: '登录后点击「新建问卷」，选择模板即可发布。',
    },
    [
      { ...sku(survey.skus.free, '免费版（100 份/月）', byMonth(0)), flow: { amount: 2_000, unit: 'Mb' } },
      sku(survey.skus.professional, '专业版', byMonth(68)),
    ],
    { sold: 905, publishedDaysAgo: 90 },
  ),
];
