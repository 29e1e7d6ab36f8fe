import { demoPersonas, demoProducts } from '@yunshi/contracts/demo-world';
import { addDays } from '@yunshi/kernel/calendar';
import type { ProductId } from '@yunshi/kernel/ids';
import { answerReview, writeReview, type Rating, type Review } from '../review/review.ts';
import { reviewIdOf } from '../review/reviews.ts';
import type { Exhibit } from './shelf.ts';

type Said = {
  readonly of: keyof typeof demoProducts;
  readonly by: 'lin' | 'zhao' | 'su';
  readonly stars: number;
  readonly text: string;
  readonly daysAgo: number;
  readonly answer?: string;
};

/** What the three buyers have said of what they bought before the story begins. */
const said: readonly Said[] = [
  { of: 'helpDesk', by: 'zhao', stars: 5, text: '接入当天就分流了一半重复问题，夜间咨询终于有人应答。', daysAgo: 21 },
  {
    of: 'helpDesk',
    by: 'su',
    stars: 4,
    text: '小团队够用，知识库导入再快些就好了。',
    daysAgo: 9,
    answer: '感谢反馈，新版已支持整站导入。',
  },
  { of: 'crm', by: 'lin', stars: 4, text: '门店线索不再靠表格，销售漏斗一目了然。', daysAgo: 33 },
  {
    of: 'stock',
    by: 'su',
    stars: 2,
    text: '等了三天也没有开通。',
    daysAgo: 14,
    answer: '非常抱歉，已为您全额退款，开通流程正在整改。',
  },
  { of: 'invoiceReading', by: 'zhao', stars: 5, text: '整车运单发票一次过，识别率比预期高。', daysAgo: 40 },
  { of: 'lnmp', by: 'su', stars: 5, text: '开机即用，省下半天配置。', daysAgo: 60 },
  { of: 'website', by: 'su', stars: 5, text: '自营团队响应很快，两周上线。', daysAgo: 25 },
];

/** The reviews of the demo world, by the rules that buyers obey, and what they come to for each product. */
export function demoReviews(
  shelf: readonly Exhibit[],
  today: Date,
): { readonly reviews: readonly Review[]; readonly ratings: readonly Rating[] } {
  const ratings = new Map<ProductId, Rating>();
  const reviews = said.map(({ of, by, stars, text, daysAgo, answer }): Review => {
    const { productId } = demoProducts[of];
    const { accountId, userId } = demoPersonas[by];
    const product = shelf.find(({ draft }) => draft.productId === productId);
    if (!product) throw new Error(`${of} is reviewed, but the demo world does not have it`);
    const written = { reviewId: reviewIdOf({ accountId, productId }), productId, providerId: product.draft.providerId, accountId, userId };
    const rated = writeReview(undefined, ratings.get(productId), { ...written, stars, text, hasBought: true }, addDays(today, -daysAgo));
    if (!rated.ok) throw new Error(`the demo world's review of ${of} is refused: ${rated.error}`);
    ratings.set(productId, rated.value.rating);
    return answer === undefined ? rated.value.review : answerReview(rated.value.review, answer, addDays(today, 1 - daysAgo));
  });
  return { reviews, ratings: [...ratings.values()] };
}
