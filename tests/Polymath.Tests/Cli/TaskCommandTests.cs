using System.Globalization;
using System.Text;
using System.Text.Json;
using Polymath.Cli.Tasks;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>Tasks with a model of random weights: the answers are nonsense, their form is not.</summary>
public sealed class TaskCommandTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    private const string Schema = """
        {"type":"object","properties":{"name":{"type":"string","maxLength":6},"age":{"type":"integer","minimum":0,"maximum":120}},
         "required":["name","age"],"additionalProperties":false}
        """;

    [Fact]
    public void Extract_gives_a_line_of_valid_json_for_each_text_in_their_order()
    {
        string schema = Write("schema.json", Schema);
        string[] files = [.. Enumerable.Range(0, 6).Select(i => Write($"d{i}.txt", $"Person {i} is {10 + i} years old."))];
        CliRun run = Run("", ["extract", "--schema", schema, .. files]);
        Assert.True(run.Code == 0, run.Error);
        string[] lines = run.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(6, lines.Length);
        foreach (string line in lines)
        {
            using JsonDocument json = JsonDocument.Parse(line);
            Assert.InRange(json.RootElement.GetProperty("age").GetInt32(), 0, 120);
            Assert.InRange(new StringInfo(json.RootElement.GetProperty("name").GetString()!).LengthInTextElements, 0, 6);
        }

        Assert.Equal(lines[3] + "\n", Run("Person 3 is 13 years old.", "extract", "--schema", schema).Text);
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"x":{"not":{}}}}""", "not at /properties/x/not")]
    [InlineData("{", "schema")]
    public void A_schema_that_cannot_be_honoured_is_refused_before_anything_is_loaded(string schema, string told)
    {
        CliRun run = Run("text", "extract", "--schema", Write("bad.json", schema));
        Assert.Equal((1, ""), (run.Code, run.Text));
        Assert.Contains(told, Assert.Single(run.ErrorLines), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Classify_gives_probabilities_that_do_not_depend_on_the_order_of_the_labels()
    {
        Dictionary<string, double> one = Probabilities("good,bad,in between"), two = Probabilities("in between,bad,good");
        Assert.Equal(1, one.Values.Sum(), 9);
        Assert.Equal(3, one.Count);
        foreach ((string label, double probability) in one)
            Assert.Equal(probability, two[label], 9);
        Assert.Contains(Run("A text.", "classify", "--labels", "good,bad").Text.Split(' ')[0], new[] { "good", "bad" });

        Dictionary<string, double> Probabilities(string labels)
        {
            CliRun run = Run("A text that says something.", "classify", "--labels", labels, "--json");
            Assert.True(run.Code == 0, run.Error);
            using JsonDocument json = JsonDocument.Parse(run.Text);
            return json.RootElement.GetProperty("probabilities").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble());
        }
    }

    [Fact]
    public void A_text_that_says_nothing_makes_all_labels_alike()
    {
        CliRun run = Run("N/A", "classify", "--labels", "a long label of many tokens,x", "--json");
        using JsonDocument json = JsonDocument.Parse(run.Text);
        Assert.All(json.RootElement.GetProperty("probabilities").EnumerateObject(), p => Assert.Equal(0.5, p.Value.GetDouble(), 9));
    }

    [Theory]
    [InlineData("one")]
    [InlineData("one,one")]
    [InlineData("")]
    public void Labels_that_are_none_are_refused(string labels) => Assert.Equal(2, Run("x", "classify", "--labels", labels).Code);

    [Fact]
    public void Summarize_takes_a_text_many_times_as_long_as_the_context()
    {
        string text = string.Join("\n\n", Enumerable.Range(0, 120).Select(i => $"Paragraph {i} tells of a king and his {i} horses."));
        CliRun run = Run(text, "summarize", "--words", "10", "-c", "640");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("parts", run.Error, StringComparison.Ordinal);
        Assert.NotEmpty(run.Text.Trim());
    }

    [Fact]
    public void Ask_answers_from_files_as_json_too()
    {
        string file = Write("facts.txt", "The sky is blue.\n\nGrass is green.\n");
        CliRun run = Run("", "ask", "What colour is grass?", file, "-n", "10", "--json");
        Assert.True(run.Code == 0, run.Error);
        using JsonDocument json = JsonDocument.Parse(run.Text);
        Assert.Equal(JsonValueKind.String, json.RootElement.GetProperty("answer").ValueKind);
        Assert.Equal(JsonValueKind.Array, json.RootElement.GetProperty("sources").ValueKind);
    }

    [Theory]
    [InlineData("extract", "--schema", "?schema")]
    [InlineData("classify", "--labels", "a,b")]
    [InlineData("summarize")]
    [InlineData("ask", "why?")]
    public void Empty_missing_and_too_long_texts_are_told_by_name(params string[] command)
    {
        string schema = Write("ok.json", Schema);
        command = [.. command.Select(word => word == "?schema" ? schema : word)];
        CliRun empty = Run(" \n", command);
        Assert.Equal(1, empty.Code);
        Assert.Contains("standard input: there is no text in it", Assert.Single(empty.ErrorLines), StringComparison.Ordinal);
        CliRun missing = Run("", [.. command, tiny.Beside("nowhere.txt")]);
        Assert.Equal(1, missing.Code);
        Assert.Contains("no such file", Assert.Single(missing.ErrorLines), StringComparison.Ordinal);
        if (command[0] is "summarize" or "ask")
            return;   // they read a long text in parts
        CliRun tooLong = Run(new string('x', 5000), command);
        Assert.Equal(1, tooLong.Code);
        Assert.Contains("the context holds 2048", tooLong.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Passages_hold_every_word_once_within_their_size_and_know_their_lines()
    {
        var random = new Random(5);
        string text = string.Join('\n', Enumerable.Range(0, 400).Select(i => random.Next(6) == 0 ? "" : string.Join(' ', Enumerable.Range(0, random.Next(1, 30)).Select(w => $"w{i}.{w}"))));
        List<Passage> passages = Passage.Pack(new Document("d", text).Paragraphs(), 120, s => s.Length);
        Assert.All(passages, p => Assert.InRange(p.Text.Length, 1, 125));
        Assert.Equal(Words(text), passages.SelectMany(p => Words(p.Text)));
        string[] lines = text.Split('\n');
        Assert.All(passages, p => Assert.Contains(Words(p.Text)[0], lines[p.Line - 1], StringComparison.Ordinal));

        static string[] Words(string s) => s.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public void A_passage_that_shares_rare_words_with_the_question_comes_first()
    {
        var index = new Bm25(["the cat and the dog", "the zebra and the dog", "the dog, the dog and the dog"]);
        Assert.Equal(1, index.Rank("Where is the Zebra?")[0]);
        Assert.Equal([0, 1, 2], index.Rank("nothing of that"));
    }

    private string Write(string name, string text)
    {
        string path = tiny.Beside(name);
        File.WriteAllText(path, text);
        return path;
    }

    private CliRun Run(string input, params string[] command)
    {
        string[] context = command.Contains("-c") ? [] : ["-c", "2048"];
        return CliRun.With(Encoding.UTF8.GetBytes(input), [command[0], .. command[1..], "-m", tiny.Path, .. context]);
    }
}
