using System.Text.Json;
using Polymath.Generation;
using Polymath.Models;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Golden.Models;

/// <summary>Two small real models against the values of llama.cpp and of the model's own authors.</summary>
public sealed class StoriesTests
{
    private sealed record Golden(string Prompt, int[] Ids, int[] Greedy, string Text);

    [Fact]
    public void Stories260k_tokenizes_and_continues_as_llama_cpp_does()
    {
        string folder = Shared.Require("data/models/stories260k");
        string json = File.ReadAllText(Path.Combine(folder, "golden.llama.cpp-v0.5.0.json"));
        Golden[] goldens = JsonSerializer.Deserialize<Golden[]>(json, JsonSerializerOptions.Web)!;
        Assert.Equal(3, goldens.Length);
        using Model model = Model.Load(Path.Combine(folder, "stories260K.gguf"));
        foreach (Golden golden in goldens)
        {
            Assert.Equal(golden.Ids, model.Tokenizer.Encode(golden.Prompt));
            using Session session = model.NewSession();
            GenerationResult result = Generator.Run(session, golden.Ids, Greedy(64));
            Assert.Equal(64, golden.Greedy.Length);
            Assert.Equal(golden.Greedy, result.Ids);
            Assert.Equal(golden.Text.TrimStart(), result.Text.TrimStart());
        }
    }

    [Fact]
    public void Stories656k_runs_from_its_Hugging_Face_folder_with_the_known_first_logit()
    {
        using Model model = Model.Load(Shared.Require("data/models/stories656k"));
        using Session session = model.NewSession(new SessionOptions { KeyFormat = TensorFormat.F32, ValueFormat = TensorFormat.F32 });
        ReadOnlySpan<float> logits = session.Forward([1, 80, 147, 201, 282, 57]);
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
            best = logits[i] > logits[best] ? i : best;
        Assert.Equal(313, best);
        Assert.InRange(logits[best], 17.38081f - 0.001f, 17.38081f + 0.001f);
    }

    [Fact]
    public void Stories260k_gives_the_same_bits_for_any_threads_and_any_split_of_the_prompt()
    {
        string path = Path.Combine(Shared.Require("data/models/stories260k"), "stories260K.gguf");
        int[] ids = [.. Enumerable.Range(0, 100).Select(i => i == 0 ? 1 : 3 + (i * 7 % 500))];
        float[]? expected = null;
        foreach (int threads in new[] { 1, 2, 3 })
        {
            foreach (int batch in new[] { 1, 7, 64, 512 })
            {
                using Model model = Model.Load(path, new ModelOptions { Threads = threads, BatchSize = batch });
                using Session session = model.NewSession();
                session.Forward(ids.AsSpan(0, 33));
                float[] logits = session.Forward(ids.AsSpan(33)).ToArray();
                expected ??= logits;
                Assert.Equal(expected, logits);
            }
        }
    }

    [Fact]
    public void Stories260k_decodes_without_managed_allocation()
    {
        string path = Path.Combine(Shared.Require("data/models/stories260k"), "stories260K.gguf");
        using Model model = Model.Load(path, new ModelOptions { Threads = 2 });
        using Session session = model.NewSession();
        int id = 0;
        Assert.Equal(0, Allocations.Of(() => session.Forward([1 + (id++ % 200)])));
    }

    [Fact]
    public void Stories260k_continues_given_ids_as_llama_cpp_does()
    {
        string folder = Shared.Require("data/models/stories260k");
        string json = File.ReadAllText(Path.Combine(folder, "golden.llama.cpp-v0.5.0.json"));
        using Model model = Model.Load(Path.Combine(folder, "stories260K.gguf"));
        foreach (Golden golden in JsonSerializer.Deserialize<Golden[]>(json, JsonSerializerOptions.Web)!)
        {
            using Session session = model.NewSession();
            var chain = new SamplerChain(new SamplingOptions { Temperature = 0 }, model.Settings.Vocabulary);
            ReadOnlySpan<float> logits = session.Forward(golden.Ids);
            foreach (int expected in golden.Greedy)
            {
                int id = chain.Next(logits);
                Assert.Equal(expected, id);
                logits = session.Forward([id]);
            }
        }
    }

    private static GenerationOptions Greedy(int count) =>
        new() { MaxTokens = count, Sampling = new SamplingOptions { Temperature = 0 } };
}
