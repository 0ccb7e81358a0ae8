using Polymath.Models;
using Polymath.Models.Layers;
using Polymath.Tensors;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Models;

/// <summary>Several texts in one pass, over pages that they share.</summary>
public sealed class BatchTests : IDisposable
{
    private const int Page = KvPool.PageLength;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public static TheoryData<string> Decoders => [.. TinyArchitectures.Decoders.Keys];

    public void Dispose() => File.Delete(_path);

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Texts_together_have_the_bits_they_have_alone(string name)
    {
        TinyArchitectures.Decoders[name]().Write(_path);
        using Model model = Model.Load(_path, new ModelOptions { Threads = 2 });
        using Batch batch = model.NewBatch(64, 8);
        var random = new Random(7);
        Session[] together = [.. Enumerable.Range(0, 5).Select(_ => model.NewSession(200))];
        Session[] alone = [.. together.Select(_ => model.NewSession(200))];
        for (int step = 0; step < 12; step++)
        {
            var wanted = new List<(int Row, float[] Logits)>();
            for (int i = 0; i < together.Length; i++)
            {
                if (random.Next(4) == 0)
                    continue;   // joins again at a later step
                int[] ids = [.. Enumerable.Range(0, random.Next(3) == 0 ? 11 : 1).Select(_ => random.Next(TinyFile.Vocabulary))];
                bool logits = random.Next(4) > 0;
                int row = batch.Add(together[i], ids, logits);
                float[] expected = alone[i].Forward(ids).ToArray();
                if (logits)
                    wanted.Add((row, expected));
            }

            if (batch.Texts == 0)
                continue;
            Tensor all = batch.Forward();
            Assert.Equal(wanted.Count, all.Rows);
            Assert.All(wanted, w => Assert.Equal(w.Logits, all.Row(w.Row).ToArray()));
        }

        Assert.Equal(alone.Select(s => s.Position), together.Select(s => s.Position));
        foreach (Session session in together.Concat(alone))
            session.Dispose();
    }

    [Fact]
    public void A_batch_refuses_what_does_not_fit_and_stays_as_it_is()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using Model other = Model.Load(_path);
        using Session one = model.NewSession(), two = model.NewSession(), three = model.NewSession(), foreign = other.NewSession();
        using Batch batch = model.NewBatch(4, 2);
        Assert.Throws<ArgumentException>(() => batch.Add(one, []));
        Assert.Throws<ArgumentException>(() => batch.Add(one, [TinyModel.Vocabulary]));
        Assert.Throws<ArgumentException>(() => batch.Add(foreign, [1]));
        Assert.Throws<InvalidOperationException>(() => batch.Add(one, [1, 2, 3, 4, 5]));
        batch.Add(one, [1, 2]);
        Assert.Throws<ArgumentException>(() => batch.Add(one, [3]));
        Assert.Throws<InvalidOperationException>(() => batch.Add(two, [1, 2, 3]));
        batch.Add(two, [3]);
        Assert.Throws<InvalidOperationException>(() => batch.Add(three, [3]));
        Assert.Equal((3, 2), (batch.Tokens, batch.Texts));
        Assert.Equal(2, batch.Forward().Rows);
        Assert.Equal((0, 0, 2, 1), (batch.Tokens, batch.Texts, one.Position, two.Position));
    }

    [Fact]
    public void A_cancelled_pass_changes_no_text()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using Session one = model.NewSession(), two = model.NewSession();
        float[] expected = one.Forward([1, 2, 3]).ToArray();
        one.Rewind(0);
        using Batch batch = model.NewBatch(8, 2);
        batch.Add(one, [5, 6]);
        batch.Add(two, [7]);
        Assert.Throws<OperationCanceledException>(() => batch.Forward(new CancellationToken(true)));
        Assert.Equal((0, 0, 0, 0), (one.Position, two.Position, batch.Texts, batch.Tokens));
        Assert.Equal(expected, one.Forward([1, 2, 3]).ToArray());
    }

    [Theory]
    [InlineData("llama", 2 * Page)]
    [InlineData("llama", Page + 40)]
    [InlineData("gemma2", (2 * Page) + 9)]   // layers with a window of 9
    [InlineData("gpt-oss", Page + 1)]
    public void A_text_that_begins_with_anothers_pages_goes_on_like_it_and_leaves_it_alone(string name, int shared)
    {
        TinyArchitectures.Decoders[name]().Write(_path);
        using Model model = Model.Load(_path, new ModelOptions { BatchSize = 64 });
        int[] ids = [.. Enumerable.Range(0, 3 * Page).Select(i => (i * 37) % TinyFile.Vocabulary)];
        using var pool = new KvPool(model.Decoder.CacheLayers, 20 * Page, 4, 64, TensorFormat.F16, TensorFormat.F16);
        using var first = new Session(model, 4 * Page, pool);
        first.Forward(ids.AsSpan(0, shared));
        int[][] pages = [.. Enumerable.Range(0, pool.Groups.Length).Select(g => first.Cache.PagesOfGroup(g).ToArray())];
        using (var second = new Session(model, 4 * Page, pool))
        {
            int free = pool.FreePages;
            Assert.True(second.TryBegin(pages, shared));
            Assert.True(pool.FreePages >= free - 1);
            float[] expected = first.Forward(ids.AsSpan(shared, 30)).ToArray();
            Assert.Equal(expected, second.Forward(ids.AsSpan(shared, 30)).ToArray());

            // Both write different things from the same place on.
            float[] one = first.Forward([1, 2, 3]).ToArray(), two = second.Forward([4]).ToArray();
            using Session alone = model.NewSession(4 * Page);
            alone.Forward(ids.AsSpan(0, shared + 30));
            Assert.Equal(one, alone.Forward([1, 2, 3]).ToArray());
            alone.Rewind(0);
            alone.Forward(ids.AsSpan(0, shared + 30));
            Assert.Equal(two, alone.Forward([4]).ToArray());
        }

        first.Rewind(0);
        foreach (KvPool.Group group in pool.Groups)
            Assert.Equal(group.Count, group.Free);
    }

    [Fact]
    public void A_shared_page_is_copied_before_it_is_written_on()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using var pool = new KvPool(model.Decoder.CacheLayers, 8 * Page, 2, 512, TensorFormat.F16, TensorFormat.F16);
        using var first = new Session(model, 2 * Page, pool);
        using var second = new Session(model, 2 * Page, pool);
        int[] ids = [.. Enumerable.Range(0, Page).Select(i => (i * 37) % TinyModel.Vocabulary)];
        first.Forward(ids);
        Assert.True(second.TryBegin([first.Cache.PagesOfGroup(0).ToArray()], Page));
        float[] expected = first.Forward([9]).ToArray();
        second.Rewind(Page - 20);
        second.Forward([8, 7, 6]);
        first.Rewind(Page);
        Assert.Equal(expected, first.Forward([9]).ToArray());
    }

    [Fact]
    public void An_exhausted_pool_is_an_error_that_changes_no_text()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using var pool = new KvPool(model.Decoder.CacheLayers, 3 * Page, 2, 512, TensorFormat.F16, TensorFormat.F16);
        using var first = new Session(model, 4 * Page, pool);
        using var second = new Session(model, 4 * Page, pool);
        int[] ids = [.. Enumerable.Repeat(1, Page)];
        first.Forward(ids);
        first.Forward(ids);
        second.Forward([1]);
        Assert.Throws<InvalidOperationException>(() => first.Forward([2]).Length);
        Assert.Equal((2 * Page, 1, 0), (first.Position, second.Position, pool.FreePages));
        second.Dispose();
        first.Forward([2]);
        Assert.Equal((2 * Page) + 1, first.Position);
    }
}
