using Json.Schema;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>JSON Schema: what is written under a schema is valid, judged by another's validator; what is valid can be written.</summary>
public sealed class SchemaTests(ITestOutputHelper output)
{
    private static readonly JsonSchemaOptions s_compact = new() { Whitespace = JsonWhitespace.None };

    [Fact]
    public void Every_finished_answer_is_valid()
    {
        int schemas = 0, answers = 0, unfinished = 0;
        var random = new RandomSource(11);
        var bad = new List<string>();
        foreach (string schema in SchemaSuite.All)
        {
            Grammar grammar = Grammar.JsonSchema(schema);
            JsonSchema validator = SchemaSuite.Validator(schema);
            schemas++;
            for (int i = 0; i < 20; i++)
            {
                Tokenizer tokenizer = i % 4 == 0 ? Vocabularies.Stories : Vocabularies.Words;
                if (Answers.Draw(new Constraint(grammar, tokenizer), tokenizer, ref random) is not { } answer)
                {
                    unfinished++;
                    continue;
                }

                answers++;
                if (!SchemaSuite.Validates(validator, answer))
                    bad.Add($"{schema} let through {answer}");
            }
        }

        output.WriteLine($"{schemas} schemas, {answers} answers, {unfinished} not finished");
        Assert.True(bad.Count == 0, $"{bad.Count} of {answers}:\n{string.Join('\n', bad.Take(40))}");
        Assert.True(schemas >= 300 && answers > 10 * schemas, $"{schemas} schemas, {answers} answers");
    }

    [Fact]
    public void An_instance_can_be_written_exactly_when_it_is_valid()
    {
        int accepted = 0, rejected = 0;
        var bad = new List<string>();
        foreach (string schema in SchemaSuite.Own)
        {
            Grammar grammar = Grammar.JsonSchema(schema, s_compact);
            JsonSchema validator = SchemaSuite.Validator(schema);
            foreach (string instance in SchemaSuite.Instances)
            {
                bool valid = SchemaSuite.Validates(validator, instance);
                _ = valid ? accepted++ : rejected++;
                if (valid != Answers.Matches(grammar, instance))
                    bad.Add($"{schema} {(valid ? "does not take" : "takes")} {instance}");
            }
        }

        output.WriteLine($"{accepted} valid and {rejected} invalid instances");
        Assert.True(bad.Count == 0, $"{bad.Count}:\n{string.Join('\n', bad.Take(60))}");
        Assert.True(accepted > 2000 && rejected > 10000, $"{accepted} valid, {rejected} invalid");
    }

    [Theory]
    [InlineData("""{"not":{"type":"string"}}""", "not", "/not")]
    [InlineData("""{"type":"object","properties":{"a":{"if":true,"then":false}}}""", "if", "/properties/a/if")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "uniqueItems", "/uniqueItems")]
    [InlineData("""{"type":"array","contains":{}}""", "contains", "/contains")]
    [InlineData("""{"dependentRequired":{"a":["b"]}}""", "dependentRequired", "/dependentRequired")]
    [InlineData("""{"type":"string","format":"iri"}""", "format", "/format")]
    [InlineData("""{"type":"string","patern":"a"}""", "patern", "/patern")]
    [InlineData("""{"type":"string","pattern":"(?=a)"}""", "pattern", "/pattern")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "oneOf", "/oneOf")]
    [InlineData("""{"anyOf":[{"$ref":"http://x/y"}]}""", "$ref", "/anyOf/0/$ref")]
    [InlineData("""{"$ref":"#/$defs/no"}""", "$ref", "/$ref")]
    [InlineData("""{"$ref":"#"}""", "$ref", "/$ref")]
    [InlineData("""{"type":"strin"}""", "type", "/type")]
    [InlineData("""{"type":"object","minProperties":3}""", "minProperties", "/minProperties")]
    [InlineData("""{"multipleOf":-1}""", "multipleOf", "/multipleOf")]
    [InlineData("""{"type":"number","multipleOf":0.123456}""", "multipleOf", "/multipleOf")]
    [InlineData("""{"$defs":{"a/b":{"not":{}}},"$ref":"#/$defs/a~1b"}""", "not", "/$defs/a~1b/not")]
    public void What_cannot_be_honoured_is_refused_by_name(string schema, string keyword, string place)
    {
        var refused = Assert.Throws<ConstraintException>(() => Grammar.JsonSchema(schema));
        Assert.Equal(keyword, refused.Keyword);
        Assert.Equal(place, refused.Place);
        Assert.Contains(keyword, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("""{"type":"integer","minimum":3,"maximum":2}""")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""")]
    [InlineData("""{"type":"string","enum":[1,2]}""")]
    [InlineData("""[]""")]
    [InlineData("""{"a":""")]
    public void A_schema_that_nothing_meets_is_refused(string schema) =>
        Assert.Throws<ConstraintException>(() => Grammar.JsonSchema(schema));

    [Fact]
    public void Whitespace_is_natural_or_none()
    {
        const string Schema = """{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}}}""";
        Grammar natural = Grammar.JsonSchema(Schema), compact = Grammar.JsonSchema(Schema, s_compact);
        string[] texts = ["{\"a\": [1, 2]}", "{\n  \"a\": [\n    1,\n    2\n  ]\n}", "{ \"a\": [] }"];
        Assert.All(texts, text => Assert.True(Answers.Matches(natural, text), text));
        Assert.All(texts, text => Assert.False(Answers.Matches(compact, text), text));
        Assert.True(Answers.Matches(natural, "{\"a\":[1,2]}") && Answers.Matches(compact, "{\"a\":[1,2]}"));
        Assert.False(Answers.Matches(natural, "{\n\n\"a\":[1]}"));
        Assert.False(Answers.Matches(natural, "{\n" + new string(' ', 60) + "\"a\":[1]}"));
    }

    [Fact]
    public void Closed_objects_have_no_members_that_the_schema_does_not_name()
    {
        const string Schema = """{"type":"object","properties":{"a":{"type":"integer"}}}""";
        Assert.True(Answers.Matches(Grammar.JsonSchema(Schema), "{\"b\":1}"));
        Assert.False(Answers.Matches(Grammar.JsonSchema(Schema, new JsonSchemaOptions { ClosedObjects = true }), "{\"b\":1}"));
    }
}
