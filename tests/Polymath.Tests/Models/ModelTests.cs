using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Models;

public sealed class ModelTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void The_bits_do_not_depend_on_the_split_of_the_text_or_the_threads()
    {
        int[] ids = [.. Enumerable.Range(0, 60).Select(i => (i * 37) % TinyModel.Vocabulary)];
        foreach (TensorFormat format in new[] { TensorFormat.F32, TensorFormat.F16, TensorFormat.Q8_0, TensorFormat.Q4_0 })
        {
            TinyModel.Write(_path, format);
            float[]? expected = null;
            foreach ((int threads, int split) in new[] { (1, 60), (2, 1), (3, 13), (2, 59) })
            {
                using Model model = Model.Load(_path, new ModelOptions { Threads = threads });
                using Session session = model.NewSession();
                float[] logits = [];
                for (int from = 0; from < ids.Length; from += split)
                    logits = session.Forward(ids.AsSpan(from, Math.Min(split, ids.Length - from))).ToArray();
                expected ??= logits;
                Assert.Equal(expected, logits);
            }
        }
    }

    [Fact]
    public void All_logits_at_once_equal_those_one_by_one()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using Session together = model.NewSession();
        using Session single = model.NewSession();
        int[] ids = [1, 2, 3, 200, 256, 5];
        Tensor all = together.ForwardAll(ids);
        for (int i = 0; i < ids.Length; i++)
            Assert.Equal(single.Forward([ids[i]]).ToArray(), all.Row(i).ToArray());
    }

    [Fact]
    public void A_rewound_session_gives_what_a_new_one_gives()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using Session session = model.NewSession();
        session.Forward([1, 2, 3]);
        float[] expected = session.Forward([4, 5]).ToArray();
        session.Forward([6, 7, 8]);
        session.Rewind(3);
        Assert.Equal(expected, session.Forward([4, 5]).ToArray());
        Assert.Equal(5, session.Position);
    }

    [Fact]
    public void What_does_not_fit_or_is_no_id_is_refused_and_nothing_is_added()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using Session session = model.NewSession(8);
        session.Forward([1, 2, 3]);
        Assert.Throws<InvalidOperationException>(() => session.Forward([1, 2, 3, 4, 5, 6]));
        Assert.Throws<ArgumentException>(() => session.Forward([TinyModel.Vocabulary]));
        Assert.Throws<ArgumentException>(() => session.Forward([-1]));
        Assert.Throws<ArgumentException>(() => session.Forward([]));
        Assert.Throws<OperationCanceledException>(() => session.Forward([1], new CancellationToken(true)));
        Assert.Equal(3, session.Position);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Weights_that_are_not_finite_give_an_error_and_no_text(float bad)
    {
        TinyModel.Write(_path, change: (_, tensors) => tensors[1].Elements().AsFloats()[5] = bad);
        using Model model = Model.Load(_path);
        using Session session = model.NewSession();
        Assert.Throws<ModelFormatException>(() => session.Forward([1]));
        Assert.Equal(0, session.Position);
    }

    [Fact]
    public void Damaged_settings_are_refused_by_name()
    {
        Refused("llama.block_count", m => m.Set("llama.block_count", 0u));
        Refused("llama.block_count", m => m.Set("llama.block_count", 100_000u));
        Refused("llama.attention.head_count", m => m.Set("llama.attention.head_count", 0u));
        Refused("llama.attention.head_count_kv", m => m.Set("llama.attention.head_count_kv", 3u));
        Refused("llama.rope.freq_base", m => m.Set("llama.rope.freq_base", float.NaN));
        Refused("llama.rope.dimension_count", m => m.Set("llama.rope.dimension_count", 7u));
        Refused("llama.embedding_length", m => m.Set("llama.embedding_length", "wide"));
        Refused("llama.feed_forward_length", m => m.Remove("llama.feed_forward_length"));
        Refused("token_embd.weight", m => m.Set("llama.embedding_length", 128u));
        Refused("ffn_gate", m => m.Set("llama.feed_forward_length", 64u));
        Refused("supported: ", m => m.Set("general.architecture", "hal9000"));
    }

    [Fact]
    public void A_missing_tensor_is_refused_by_name()
    {
        TinyModel.Write(_path, change: (_, tensors) => tensors.RemoveAll(t => t.Name == "blk.1.ffn_up.weight"));
        var error = Assert.Throws<ModelFormatException>(() => Model.Load(_path));
        Assert.Contains("blk.1.ffn_up.weight", error.Message, StringComparison.Ordinal);
    }

    private void Refused(string named, Action<Metadata> spoil)
    {
        TinyModel.Write(_path, change: (metadata, _) => spoil(metadata));
        var error = Assert.Throws<ModelFormatException>(() => Model.Load(_path).Dispose());
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
