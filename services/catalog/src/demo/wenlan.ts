import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { calls, exhibit, sku, type Exhibit } from './shelf.ts';

const by = demoProviders.wenlan;
const kind = { categoryId: 'ai', deliveryType: 'api' } as const;
const { invoiceReading, addressParsing, speech, translation, moderation } = demoProducts;

const guide = `1. 购买后在实例详情查看 SecretId 与 SecretKey，密钥只展示给本账号。
2. 按文档签名后调用，返回 JSON；每次成功调用扣减一次。
3. 用量在「总使用情况」实时显示，用完可再次购买。

Sign each request with the key pair shown on the instance page; only calls that reach the service are counted.`;

export const wenlanShelf: readonly Exhibit[] = [
  exhibit(
    invoiceReading,
    by,
    kind,
    {
      nameEn: 'Wenlan Invoice Reading API',
      summary: '增值税发票、火车票、出租车票等 12 类票据识别，字段级置信度。',
      summaryEn: 'Reads twelve kinds of Chinese invoices and tickets, with a confidence for each field.',
      description: `## 产品亮点
- **票种齐全**：专票、普票、电子票、卷票等 12 类自动分类。
- **字段置信度**：低置信字段单独标出，便于人工复核。
- **平均 400 毫秒**：支持图片、PDF、OFD。

> In English: JSON in under half a second, for images, PDF and OFD.`,
      guide,
    },
    [
      sku(invoiceReading.skus.calls100, '100 次', calls(100, 9.9, 90)),
      sku(invoiceReading.skus.calls1000, '1 000 次', calls(1_000, 79)),
      sku(invoiceReading.skus.calls10000, '1 万次', calls(10_000, 680)),
    ],
    { sold: 2_907, publishedDaysAgo: 800 },
  ),
  exhibit(
    addressParsing,
    by,
    kind,
    {
      nameEn: 'Wenlan Address Parsing API',
      summary: '一段文字解析出省市区、街道、姓名、电话，快递面单专用。',
      summaryEn: 'Turns a line of text into province, city, district, street, name and telephone.',
      description: `## 产品亮点
- **五级地址**：省、市、区、街道、门牌，补全缺失上级。
- **姓名电话分离**：聊天记录粘贴即用。
- **行政区划月更**：撤县设区及时生效。

> In English: made for waybills; knows this month’s administrative divisions.`,
      guide,
    },
    [sku(addressParsing.skus.calls1000, '1 000 次', calls(1_000, 19)), sku(addressParsing.skus.calls50000, '5 万次', calls(50_000, 599))],
    { sold: 1_688, publishedDaysAgo: 700 },
  ),
  exhibit(
    speech,
    by,
    kind,
    {
      nameEn: 'Wenlan Speech to Text API',
      summary: '普通话与 9 种方言录音转文字，自动分角色、加标点。',
      summaryEn: 'Mandarin and nine dialects to text, with speakers told apart and punctuation set.',
      description: `## 产品亮点
- **方言识别**：粤语、四川话等 9 种。
- **角色分离**：会议、客服录音自动区分说话人。
- **热词定制**：行业词汇准确率更高。

> In English: one call is one recording of up to 60 minutes.`,
      guide,
    },
    [sku(speech.skus.calls500, '500 次', calls(500, 150)), sku(speech.skus.calls5000, '5 000 次', calls(5_000, 1_280))],
    { sold: 734, publishedDaysAgo: 560 },
  ),
  exhibit(
    translation,
    by,
    kind,
    {
      nameEn: 'Wenlan Translation API',
      summary: '中英日韩法德等 18 种语言互译，术语表自定义，保留格式标记。',
      summaryEn: 'Eighteen languages both ways, your own glossary, markup left intact.',
      description: `## 产品亮点
- **术语干预**：上传术语表，译法统一。
- **格式保留**：HTML、Markdown 标记不丢失。
- **批量接口**：一次最多 50 段。

> In English: consistent terms, intact markup, fifty paragraphs a call.`,
      guide,
    },
    [sku(translation.skus.calls1000, '1 000 次', calls(1_000, 45)), sku(translation.skus.calls20000, '2 万次', calls(20_000, 720))],
    { sold: 1_120, publishedDaysAgo: 480 },
  ),
  exhibit(
    moderation,
    by,
    kind,
    {
      nameEn: 'Wenlan Content Moderation API',
      summary: '文本与图片内容审核，涉政、涉黄、广告、辱骂分级返回。',
      summaryEn: 'Checks texts and pictures and says which rule they break, and how badly.',
      description: `## 产品亮点
- **分级处置**：通过、复审、拦截三档，阈值可调。
- **变体识别**：谐音、拆字、图中文字。
- **自定义词库**：业务黑白名单即时生效。

> In English: pass, review or block, with thresholds of your own.`,
      guide,
    },
    [sku(moderation.skus.calls1000, '1 000 次', calls(1_000, 15)), sku(moderation.skus.calls100000, '10 万次', calls(100_000, 980))],
    { sold: 1_345, publishedDaysAgo: 390 },
  ),
];
