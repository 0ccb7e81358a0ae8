using Polymath.Generation.Constraints.Schemas;
using Xunit;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>docs/constraints.md says of each keyword what is done about it.</summary>
public sealed class ConstraintDocumentTests
{
    [Fact]
    public void The_table_of_keywords_is_that_of_the_code()
    {
        string text = File.ReadAllText(Path.Combine(Shared.ProjectRoot, "docs", "constraints.md"));
        IEnumerable<string> rows =
        [
            "| keyword | |", "|---|---|",
            .. SchemaKeywords.Honoured.Select(keyword => $"| `{keyword}` | honoured |"),
            .. SchemaKeywords.Ignored.Select(keyword => $"| `{keyword}` | ignored: says nothing about what is valid |"),
            .. SchemaKeywords.Refused.Select(refused => $"| `{refused.Key}` | refused: {refused.Value} |"),
        ];
        Assert.Contains($"<!-- table: begin -->\n{string.Join('\n', rows)}\n<!-- table: end -->", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_formats_that_are_honoured_are_named()
    {
        string text = File.ReadAllText(Path.Combine(Shared.ProjectRoot, "docs", "constraints.md"));
        Assert.All(StringFormats.Names, name => Assert.Contains(name, text, StringComparison.Ordinal));
    }
}
