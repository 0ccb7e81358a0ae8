using System.Text.Json;
using Polymath.Models;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class RerankCommandTests(EncoderFile encoders) : IClassFixture<EncoderFile>
{
    private const string Query = "what purrs?";

    private static readonly string[] s_documents = ["a cat", "the lorry is red", "a cat", "two kittens purr in the yard", "x"];

    [Theory]
    [InlineData("bert-rank", "F32")]
    [InlineData("bert-rank", "Q8_0")]
    [InlineData("qwen3-rank", "F32")]
    [InlineData("modern-bert-rank", "Q8_0")]
    public void A_ranking_head_gives_the_scores_of_the_pairs(string name, string type)
    {
        string path = encoders.Of(name, type);
        using TextEncoder encoder = TextEncoder.Load(path);
        float[] scores = [.. s_documents.Select(document => encoder.Rank([encoder.EncodePair(Query, document).Ids])[0])];
        Check(path, scores, "ranking head");
    }

    [Fact]
    public void A_model_that_embeds_ranks_by_cosine_with_its_prompts()
    {
        string path = encoders.Changed("bert-mean", file => file
            .Set("prompt.names", new[] { "query", "passage" }).Set("prompt.texts", new[] { "Q: ", "P: " }));
        using TextEncoder encoder = TextEncoder.Load(path);
        float[] query = encoder.Embed(encoder.Encode("Q: " + Query).Ids);
        Check(
            path, [.. s_documents.Select(document => encoder.Embed(encoder.Encode("P: " + document).Ids).Zip(query, (a, b) => a * b).Sum())], "cosine");
        Assert.NotEqual(
            CliRun.Succeed(["rerank", path, Query, .. s_documents]),
            CliRun.Succeed(["rerank", path, Query, .. s_documents, "--query-prefix", "", "--document-prefix", ""]));
    }

    [Fact]
    public void Documents_come_from_lines_too_and_their_control_characters_stay_out()
    {
        string path = encoders.Of("bert-rank"), file = encoders["documents.txt"];
        File.WriteAllLines(file, s_documents);
        Assert.Equal(CliRun.Succeed(["rerank", path, Query, .. s_documents]), CliRun.Succeed("rerank", path, Query, "--file", file));
        Assert.Equal(CliRun.Succeed("rerank", path, Query, "--file", file), CliRun.With(File.ReadAllBytes(file), "rerank", path, Query).Text);
        Assert.DoesNotContain('\u001b', CliRun.Succeed("rerank", path, Query, "a\u001b[31m"));
    }

    [Fact]
    public void What_makes_no_sense_is_one_line()
    {
        string path = encoders.Of("bert-rank"), writer = encoders["writer.gguf"];
        TinyModel.Write(writer);
        Fails(2, "the query is empty", "rerank", path, " ", "a");
        Fails(1, "document 2 is empty", "rerank", path, "q", "a", "");
        Fails(1, "there is no document", "rerank", path, "q");
        Fails(2, "--query-prefix", "rerank", path, "q", "a", "--query-prefix", "x");
        Fails(2, "--top", "rerank", path, "q", "a", "--top", "0");
        Fails(1, "maybe", "rerank", encoders.Of("bert-labels"), "q", "a");
        Fails(1, "polymath run", "rerank", writer, "q", "a");
        string message = Fails(1, "document 2", "rerank", path, "q", "a", new string('z', 300));
        Assert.Contains("256", message, StringComparison.Ordinal);
        Assert.Contains("304", message, StringComparison.Ordinal);
        Assert.Equal(0, CliRun.Of("rerank", path, "q", new string('z', 300), "--cut").Code);
        Fails(1, "256", "rerank", path, new string('q', 300), "a", "--cut");
        Fails(1, "not finite", "rerank", encoders.Changed("bert-cls", file => file.Add("cls.output.weight", [64, 1], float.NaN)), "q", "a");
    }

    private static void Check(string path, float[] scores, string method)
    {
        int[] order = [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i])];
        using JsonDocument json = JsonDocument.Parse(CliRun.Succeed(["rerank", path, Query, .. s_documents, "--json"]));
        Assert.Equal((Query, method), (json.RootElement.GetProperty("query").GetString(), json.RootElement.GetProperty("method").GetString()));
        JsonElement[] results = [.. json.RootElement.GetProperty("results").EnumerateArray()];
        Assert.Equal(order, results.Select(result => result.GetProperty("index").GetInt32()));
        Assert.Equal(Enumerable.Range(1, order.Length), results.Select(result => result.GetProperty("rank").GetInt32()));
        Assert.Equal(order.Select(i => s_documents[i]), results.Select(result => result.GetProperty("text").GetString()));
        Assert.All(results.Zip(order), pair => Assert.Equal(scores[pair.Second], pair.First.GetProperty("score").GetSingle(), 1e-5));

        string[] lines = CliRun.Succeed(["rerank", path, Query, .. s_documents, "--top", "2"]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(order[..2].Select(i => s_documents[i]), lines.Select(line => line.Split("  ")[^1]));
        Assert.Equal(2, lines.Length);
    }

    private static string Fails(int code, string part, params string[] args)
    {
        CliRun run = CliRun.Of(args);
        Assert.Equal((code, ""), (run.Code, run.Text));
        string line = Assert.Single(run.ErrorLines);
        Assert.Contains(part, line, StringComparison.Ordinal);
        return line;
    }
}
