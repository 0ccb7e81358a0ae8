// Text in, a record out: dotnet run -c Release --project samples/ExtractRecord -- MODEL "Ada Lovelace, born 1815, wrote programs."
// The reply is held to the JSON schema of the type while it is written, so it always can be read.
using System.ComponentModel;
using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;

if (args is not [string path, string text])
{
    Console.Error.WriteLine("usage: ExtractRecord MODEL TEXT");
    return 2;
}

using PolymathChatClient client = PolymathChatClient.Load(path);
ChatResponse<Person> reply = await client.GetResponseAsync<Person>(
    $"Who is this about?\n\n{text}", new ChatOptions { Temperature = 0, MaxOutputTokens = 200 });
if (!reply.TryGetResult(out Person? person))
{
    Console.Error.WriteLine($"the reply was cut off: {reply.Text}");
    return 1;
}

Console.WriteLine(person);
return 0;

[Description("A person of whom a text tells")]
internal sealed record Person(
    [property: Description("Full name")] string Name,
    [property: Description("Year of birth, null where the text does not tell")] int? Born,
    string Occupation);
