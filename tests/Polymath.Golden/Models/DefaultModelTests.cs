using System.Text.Json;
using Polymath.Generation;
using Polymath.Models;
using Xunit;

namespace Polymath.Golden.Models;

/// <summary>
/// The model that ships in models/ against llama.cpp on the same file. The values were made by
/// tools/reference/llama-cpp.mjs from hard-texts.json and prompts.json; a new model needs them made anew.
/// </summary>
public sealed class DefaultModelTests
{
    private const long MostBytes = 16L << 20;

    private sealed record Case(string Text, int[] Ids, int[] Greedy);

    private sealed record Golden(string Engine, Case[] Cases);

    private static string ModelPath => Assert.Single(Directory.GetFiles(Path.Combine(Shared.ProjectRoot, "models"), "*.gguf"));

    private static Case[] Cases(string file)
    {
        string path = Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", file);
        return JsonSerializer.Deserialize<Golden>(File.ReadAllText(path), JsonSerializerOptions.Web)!.Cases;
    }

    [Fact]
    public void It_is_small_and_has_a_card()
    {
        Assert.InRange(new FileInfo(ModelPath).Length, 1 << 20, MostBytes);
        Assert.True(File.Exists(Path.Combine(Shared.ProjectRoot, "models", "README.md")));
    }

    [Fact]
    public void Hard_texts_are_tokenized_as_llama_cpp_does_and_come_back()
    {
        using Model model = Model.Load(ModelPath);
        Case[] cases = Cases("default-model.ids.json");
        Assert.InRange(cases.Length, 200, 1000);
        foreach (Case c in cases)
        {
            Assert.Equal(c.Ids, model.Tokenizer.Encode(c.Text));
            Assert.Equal(c.Text, model.Tokenizer.Decode(c.Ids));
        }
    }

    [Fact]
    public void Greedy_continuations_are_those_of_llama_cpp()
    {
        using Model model = Model.Load(ModelPath);
        foreach (Case c in Cases("default-model.greedy.json"))
        {
            using Session session = model.NewSession();
            var options = new GenerationOptions { MaxTokens = c.Greedy.Length, Sampling = new SamplingOptions { Temperature = 0 } };
            GenerationResult result = Generator.Run(session, c.Ids, options);
            int[] expected = [.. c.Greedy.TakeWhile(id => !model.Tokenizer.IsEndOfGeneration(id))];
            Assert.Equal(expected, result.Ids);
        }
    }
}
